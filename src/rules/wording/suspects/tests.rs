use proptest::prelude::*;

use super::model::Trainer;
use super::*;

fn found(suspects: &Suspects, text: &str) -> Vec<(String, String)> {
    suspects
        .find(text, usize::MAX)
        .into_iter()
        .map(|suspect| (text[suspect.start..suspect.end].to_owned(), suspect.right))
        .collect()
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let found = found(&Suspects::default(), text);
    let found: Vec<(&str, &str)> = found.iter().map(|(words, right)| (words.as_str(), right.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_character_that_breaks_a_word_is_suspected() {
    check("建立农药包装发弃物回收体系", &[("发弃物", "废弃物")]);
}

#[test]
fn right_text_is_left_alone() {
    check("州人民政府办公室组织召开全州政务新媒体工作推进会", &[]);
    check("", &[]);
    check("好", &[]);
}

#[test]
fn names_are_left_alone() {
    check("驻村第一书记张建伟走访双畈村群众", &[]);
}

#[test]
fn a_model_that_knows_the_right_text_finds_more_and_agrees_with_it() {
    let mut trainer = Trainer::default();
    for _ in 0..50 {
        trainer.add("各部门要履行审批职责，优提环境");
    }
    let model = trainer.finish(1).unwrap();
    let suspects = Suspects::new(Some(Arc::new(model)));
    assert_eq!(found(&suspects, "各部门要履行审批职责"), []);
    assert_eq!(found(&suspects, "优提环境"), []);
}

#[test]
fn no_more_text_is_read_than_findings_are_wanted() {
    let text = "建立农药包装发弃物回收体系，".repeat(20);
    assert_eq!(Suspects::default().find(&text, 3).len(), 3);
}

proptest! {
    #[test]
    fn suspects_lie_in_the_text_in_order_and_apart(text in "[修盯订发弃物的人民政府，a\u{20000}]{0,300}") {
        let suspects = Suspects::default().find(&text, usize::MAX);
        let mut at = 0;
        for suspect in suspects {
            prop_assert!(at <= suspect.start && suspect.start < suspect.end);
            let words = &text[suspect.start..suspect.end];
            prop_assert_eq!(words.chars().count(), suspect.right.chars().count());
            prop_assert_ne!(words, suspect.right.as_str());
            at = suspect.end;
        }
    }
}
