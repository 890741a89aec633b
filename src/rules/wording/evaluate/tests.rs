use super::*;

const HEADER: &str = "id\tword\tright\tclass\tseverity\ttier\tallow\tneeds\tnot\tfrom\tto\tsource\n";
const ROWS: &str = "\
a\t反应情况\t反映情况\ttypo\tminor\tA\t\t\t\t\t\t词典
b\t做风\t作风\ttypo\tminor\tB\t\t\t\t\t\t词典
c\t官老爷\t\tsensitive\tminor\tA\t\t\t\t\t\t词典
";

fn score(pairs: &str) -> PairScores {
    let checker = Checker::from_files(&[("t.tsv", format!("{HEADER}{ROWS}"))]).unwrap();
    score_pairs(&checker, &parse_pairs(pairs).unwrap(), None)
}

#[test]
fn pairs_are_read_in_every_layout() {
    let pairs = parse_pairs("wrong\tright\tnote\n1\t甲\t乙\n\n丙\t丁\n2024\t2025\n").unwrap();
    let found: Vec<_> = pairs.iter().map(|pair| (pair.line, pair.wrong, pair.right)).collect();
    assert_eq!(found, [(2, "甲", "乙"), (4, "丙", "丁"), (5, "2024", "2025")]);
    assert_eq!(parse_pairs("甲\t乙\n丙"), Err(PairError { line: 2 }));
}

#[test]
fn characters_are_counted_and_not_words() {
    let scores = score("群众反应情况\t群众反映情况\n工作做风不实\t工作作风不实\n平安\t平安\n");
    assert_eq!((scores.n_pairs, scores.n_wrong), (3, 2));
    assert_eq!(
        scores.tier_a,
        Score { n_gold: 2, n_claimed: 1, n_hit: 1, n_found: 1, n_corrected: 1 },
        "反应 is one wrong character of four"
    );
    assert_eq!((scores.both_tiers.n_hit, scores.both_tiers.n_corrected), (2, 2));
    assert_eq!((scores.both_tiers.precision(), scores.tier_a.recall()), (Some(1.0), Some(0.5)));
    assert!(scores.false_alarms.is_empty() && scores.missed.is_empty());
}

#[test]
fn a_claim_about_right_characters_is_a_false_alarm() {
    let scores = score("官老爷反应情况\t官老爷反应情况\n一付对联\t一副对联\n");
    assert_eq!((scores.tier_a.n_claimed, scores.tier_a.n_hit), (4, 0));
    assert_eq!(scores.false_alarms.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(scores.missed, [2]);
    assert_eq!((scores.tier_a.precision(), scores.tier_a.f1()), (Some(0.0), 0.0));
}

#[test]
fn a_choice_of_right_forms_is_met_by_any() {
    let scores = score("反应情况\t说明情况/反映情况\n");
    assert_eq!((scores.tier_a.n_gold, scores.tier_a.n_hit, scores.tier_a.n_corrected), (1, 1, 1));
}

#[test]
fn missing_and_surplus_characters_have_a_place() {
    let places = |wrong, right| changed(wrong, right).into_iter().collect::<Vec<_>>();
    assert_eq!(places("财拨款", "财政拨款"), [1]);
    assert_eq!(places("网站网站", "网站"), [2, 3]);
    assert_eq!(places("人民政", "人民政府"), [2]);
    assert_eq!(places("", "府"), Vec::<usize>::new());
}

#[test]
fn clean_text_is_counted_per_ten_thousand_characters() {
    let checker = Checker::from_files(&[("t.tsv", format!("{HEADER}{ROWS}"))]).unwrap();
    let score = score_clean(&checker, "反应情况 做风\n反应情况", None);
    assert_eq!((score.n_chars, score.n_tier_a, score.n_tier_b), (10, 2, 1));
    assert_eq!(score.by_entry.get("a"), Some(&(2, "反应情况".to_owned())));
    assert!((score.per_10k(score.n_tier_a) - 2000.0).abs() < 1e-9);
}
