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
gzip -9n "$made"/man/*
"$duwang" completions bash >"$made/completions/duwang.bash"
"$duwang" completions zsh >"$made/completions/_duwang"
"$duwang" completions fish >"$made/completions/duwang.fish"

# The example configuration. Where a default is a path beside the configuration, the service could not write there: such
# defaults (`#url:`, `#dir:` below the words 相对本目录) move to its state folder. What it only reads stays where it is.
cp config/*.yaml "$made/config/"
sed -i '/相对本目录/{n;s|^  #url: "sqlite:\(.*\)"$|  url: "sqlite:/var/lib/duwang/\1"|;s|^  #dir: \(.*\)$|  dir: /var/lib/duwang/\1|}' \
    "$made/config/duwang.yaml"
"$duwang" --config "$made/config" config check

# The changelog, and Debian's own form of it.
gzip -9nc CHANGELOG.md >"$made/changelog.gz"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
changed=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
gzip -9n >"$made/changelog.Debian.gz" <<END
duwang ($version-1) unstable; urgency=medium

  * What changed is in changelog.gz beside this file.

 -- duwang maintainers <maintainers@duwang.invalid>  $(LC_ALL=C date -u -R -d "@$changed")
END

# Debug symbols go into a package of their own.
SOURCE_DATE_EPOCH=$changed cargo deb --no-build --locked --dbgsym
