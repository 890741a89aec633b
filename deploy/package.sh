#!/usr/bin/env bash
# Makes the Debian package: builds the program, lets it write its own man pages and completions, runs cargo-deb.
# The path of the package is the last line of the output. Needs cargo-deb (`cargo install cargo-deb --locked`), git, dpkg.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
made=$target/release/package

cargo build --release --locked --bin duwang
duwang=$target/release/duwang

rm -rf "$made"
mkdir -p "$made/completions" "$made/config"
"$duwang" man "$made/man"
"$duwang" completions bash >"$made/completions/duwang.bash"
"$duwang" completions zsh >"$made/completions/_duwang"
"$duwang" completions fish >"$made/completions/duwang.fish"

# The example configuration, with everything that is written where the service may write. A setting that was renamed
# stops the build here instead of a service there.
cp config/*.yaml "$made/config/"
put_into_state() {
    grep -q "^  #$1: $2\$" "$made/config/duwang.yaml" || { echo "config/duwang.yaml has no default '$1: $2'" >&2; exit 1; }
    sed -i "s|^  #$1: $2\$|  $1: $3|" "$made/config/duwang.yaml"
}
put_into_state url '"sqlite:duwang.db"' '"sqlite:/var/lib/duwang/duwang.db"'
put_into_state dir reports /var/lib/duwang/reports
"$duwang" --config "$made/config" config check

# Debian's own form of the changelog; what users notice is in CHANGELOG.md.
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
changed=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
cat >"$made/changelog" <<END
duwang ($version-1) unstable; urgency=medium

  * What changed is in /usr/share/doc/duwang/CHANGELOG.md.

 -- duwang maintainers <maintainers@duwang.invalid>  $(LC_ALL=C date -u -R -d "@$changed")
END

SOURCE_DATE_EPOCH=$changed cargo deb --no-build --locked
