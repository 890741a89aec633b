//! The files that go with messages: read when they are sent, bounded; what cannot go is named in the text.

use std::path::Path;

use tokio::io::AsyncReadExt as _;

use super::{NotDelivered, Reason};
use crate::config::notify::ChannelKind;
use crate::model::message::Message;

/// Most bytes of one file to WeCom, and of all files of one mail: 20 MB.
const BYTES_MAX: u64 = 20_000_000;
/// Fewest bytes of a file that WeCom takes.
const WECOM_BYTES_MIN: usize = 5;

/// One file in memory.
#[derive(Debug)]
pub(super) struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What goes along, and what the text says of the rest.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub attached: Vec<Attachment>,
    pub notes: Vec<String>,
}

/// Reads the files of messages for a channel.
pub(super) async fn load(kind: ChannelKind, messages: &[&Message]) -> Result<Files, NotDelivered> {
    let mut files = Files::default();
    let mut left = BYTES_MAX;
    for path in messages.iter().flat_map(|message| &message.files) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !matches!(kind, ChannelKind::Wecom | ChannelKind::Mail) {
            files.notes.push(format!("报告文件：{name}（请到报告目录查看）"));
            continue;
        }
        let limit = if kind == ChannelKind::Mail { left } else { BYTES_MAX };
        let bytes = read(path, limit).await.map_err(|error| {
            NotDelivered::new(Reason::Refused, format!("cannot read the file `{name}` ({error}); make it again"))
        })?;
        match bytes {
            Some(bytes) if kind == ChannelKind::Mail || bytes.len() >= WECOM_BYTES_MIN => {
                left = left.saturating_sub(bytes.len() as u64);
                files.notes.push(format!("附件：{name}"));
                files.attached.push(Attachment { name, bytes });
            }
            Some(_) => files.notes.push(format!("文件 {name} 是空的，未随消息发送")),
            None => files.notes.push(format!("文件 {name} 超过 20 MB，未随消息发送，请到报告目录查看")),
        }
    }
    Ok(files)
}

/// The bytes of a file; `None` where there are more than allowed.
async fn read(path: &Path, bytes_max: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    tokio::fs::File::open(path).await?.take(bytes_max + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
}
