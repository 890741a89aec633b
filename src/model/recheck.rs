//! What a second look at a post with open problems brought (复核结果).

use super::account::labelled_enum;

labelled_enum! {
    /// The outcome of a recheck; a deleted post is not a corrected one.
    RecheckOutcome {
        Rectified = "rectified", "复核已整改";
        /// The page still says it, or still says some of it.
        Unrectified = "unrectified", "疑似未整改";
        /// The words are still there, but no longer between the words that stood around them.
        ContextChanged = "context_changed", "匹配不到上下文";
        Deleted = "deleted", "内容已删除";
        /// Login, captcha, rate limit, network: nothing was seen.
        Unreachable = "unreachable", "不可访问";
        /// A page came, but it could not be read as this post.
        Unknown = "unknown", "未知";
    }
}
