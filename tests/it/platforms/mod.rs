//! Each platform interface over real HTTP against its simulation: success, and every way in which it fails.

mod douyin;
mod kuaishou;
mod toutiao;
