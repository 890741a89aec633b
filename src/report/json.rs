//! The report as JSON: the machine contract `duwang.weekly/1`.
//!
//! The document is [`super::weekly::WeeklyReport`] as it stands. Keys are added within version 1, never renamed or
//! removed; unknown keys are to be ignored. Instants are RFC 3339 with the offset of the configured zone (`+08:00`), days
//! `YYYY-MM-DD`; enumerations are the words of the configuration files.
//!
//! | key | meaning |
//! |---|---|
//! | `schema` | `duwang.weekly/1` |
//! | `window.{from,to,first_day,last_day}` | the week: instants half-open, days inclusive |
//! | `judged_at`, `complete` | instant of judgement; whether the week was over |
//! | `correction.{number,first_issued_on,corrected_on,changes[]}` | only in a correction (更正) of a closed week; a change has `number`, `account`, `account_name`, `subject`, `what`, `old`, `new`, `reason` |
//! | `rules[].{id,level,min,count,window,demand,basis}` | frequency rules in force |
//! | `overview` | counts: `total`, `by_kind[]`, `by_level[]`, `wording`, `registry`, `coverage`, `posts_to_fill`, `last_week` |
//! | `shortfalls[]` | one for each account and rule with the verdict `short`; `violation` is its id |
//! | `unverified[]` | accounts of which too little was found and not all was seen, with `reason` (`no_source`, `not_crawled`, `source_failing`, `bridge_silent`, `not_far_back`) |
//! | `source_alarms[]` | sources that kept a week from being seen |
//! | `accounts[].{id,kind,unit,posts,pushes,last_post_at,coverage,verdict,verdicts[]}` | every account; `unit` is the unit's id, `unit_name` its name |
//! | `accounts[].coverage.{ratio,spans[].{from,to}}` | seen share (0 to 1) and seen parts of the week |
//! | `accounts[].verdicts[].{rule,level,verdict,counted,required,excuse}` | one for each rule in force that speaks of the account |
//! | `violations[]` | problems to be put right: `problem` is `frequency`, `wording` (confirmed only) or `registry`; `found` is masked; `context.{before,after}` are the words around it |

use super::weekly::WeeklyReport;

pub fn render(report: &WeeklyReport) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(report)?;
    bytes.push(b'\n');
    Ok(bytes)
}
