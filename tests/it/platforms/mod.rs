//! Each platform interface over real HTTP against its simulation: success, and every way in which it fails.

mod app_page;
mod baijiahao;
mod bilibili;
mod bridges;
mod channels;
mod douyin;
mod drift;
mod everything;
mod hooks;
mod kuaishou;
mod payloads;
mod people;
mod saved;
mod toutiao;
mod wechat;
mod weibo;
