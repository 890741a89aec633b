//! Links in posts, and how they stand after they were asked (错链死链).

use super::account::labelled_enum;

labelled_enum! {
    /// How a link stands.
    LinkState {
        /// Not asked yet, or never to be asked.
        Unchecked = "unchecked", "未检查";
        Alive = "alive", "正常";
        /// No clear answer: refused, slow, broken. It says nothing of the link.
        Trouble = "trouble", "未能判断";
        /// Dead on one day only: it does not count yet.
        Doubtful = "doubtful", "待次日复核";
        /// Dead on two different days.
        Dead = "dead", "失效";
    }
}
