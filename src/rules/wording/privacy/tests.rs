use proptest::prelude::*;

use super::*;

/// Masks, and shows the kinds found.
fn check(text: &str, masked: &str, kinds: &[PrivacyKind]) {
    let (found, spans) = mask(text);
    assert_eq!(found, masked);
    assert_eq!(spans.iter().map(|span| span.kind).collect::<Vec<_>>(), kinds, "{text}");
}

fn check_clean(text: &str) {
    check(text, text, &[]);
}

use PrivacyKind::{Bankcard, Id, Mobile, Passport, Plate};

#[test]
fn an_identity_number_keeps_its_first_three_and_last_two() {
    check("身份证号11010519491231002X。", "身份证号110*************2X。", &[Id]);
    check("11010519491231002x", "110*************2x", &[Id]);
    check("110105 19491231 002X", "110*** ******** **2X", &[Id]);
}

#[test]
fn an_identity_number_needs_province_birthday_and_check_digit() {
    check_clean("110105194912310021");
    check_clean("110105194913310020");
    check_clean("000105194912310028");
}

#[test]
fn a_mobile_number_keeps_its_first_three_and_last_four() {
    check("电话：13812345678", "电话：138****5678", &[Mobile]);
    check("138-1234-5678、138 1234 5678", "138-****-5678、138 **** 5678", &[Mobile, Mobile]);
    check("+8613812345678", "+86138****5678", &[Mobile]);
    check("+86-138-1234-5678", "+86-138-****-5678", &[Mobile]);
    check("+86 138-1234-5678", "+86 138-****-5678", &[Mobile]);
    check("86-13812345678", "86-138****5678", &[Mobile]);
    check("（0941）8212345/13812345678", "（0941）8212345/138****5678", &[Mobile]);
    check("张三13812345678 13912345678", "张三138****5678 139****5678", &[Mobile, Mobile]);
}

#[test]
fn wide_digits_and_invisible_characters_hide_nothing() {
    check("１３８１２３４５６７８", "１３８****５６７８", &[Mobile]);
    check("138\u{200b}1234\u{200b}5678", "138\u{200b}****\u{200b}5678", &[Mobile]);
}

#[test]
fn a_bank_card_keeps_its_first_six_and_last_four() {
    check("卡号6222021234567890128", "卡号622202*********0128", &[Bankcard]);
    check("6222 0212 3456 7890 128", "6222 02** **** ***0 128", &[Bankcard]);
    check("4111111111111111", "411111******1111", &[Bankcard]);
    check_clean("6222021234567890127");
    check_clean("4111 1111 1111 1112");
}

#[test]
fn passports_and_plates_are_masked_as_suspects() {
    check("持护照（号码E12345678）出境", "持护照（号码E1*****78）出境", &[Passport]);
    check("护照EA1234567", "护照EA*****67", &[Passport]);
    check("车辆甘P12345、甘P·D12345和新ＡF1２345", "车辆甘P***45、甘P·****45和新Ａ****45", &[Plate, Plate, Plate]);
    let (masked, spans) = mask("车牌甘P·12345，电话13812345678");
    let found: Vec<_> = findings_of(&spans, &masked)
        .into_iter()
        .map(|finding| (finding.entry, finding.tier, finding.severity, finding.message))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].0, "privacy-plate");
    assert_eq!((found[0].1, found[0].2), (Tier::B, Severity::Minor));
    assert_eq!(found[0].3, "请核对：“甘P·***45”是否为个人的车牌号码，是否应作脱敏处理");
    assert_eq!((found[1].0.as_str(), found[1].1), ("privacy-mobile", Tier::A));
}

#[test]
fn what_only_begins_like_a_plate_or_a_passport_is_none() {
    check_clean("新A级景区、云APP12、新ABCDEF、川C123、粤B1234567、甘PO1234");
    check_clean("护照办理须知：E1234567，G123456789");
    check_clean("编号E12345678");
    check_clean("车牌甘P***45");
}

#[test]
fn office_numbers_and_hotlines_are_public() {
    check_clean("联系电话：0941-8212345，热线12345、12315，服务电话400-810-1234、8008101234");
}

#[test]
fn long_numbers_of_other_kinds_are_no_personal_data() {
    check_clean("统一社会信用代码：91620000MA71WXYZ3A，12622926013921345T");
    check_clean("甘政办发〔2021〕13812345678号");
    check_clean("总投资13812345678元，3.13812345678，13812345678.55");
    check_clean("2021-06-17 18:30:00 20210617183000");
    check_clean("订单号：4111111111111111，项目编号13812345678");
    check_clean("https://example.com/a/13812345678.html?id=4111111111111111");
    check_clean("tel13812345678a GS-13812345678 138123456789");
    check_clean("12812345678 15412345678");
}

#[test]
fn numbers_masked_already_are_left_alone() {
    check_clean("138****5678，110*************2X，622202*********0128，138-****-5678 13812345678*");
}

#[test]
fn a_finding_shows_only_the_masked_number() {
    let (masked, spans) = mask("低保名单：张三，身份证号11010519491231002X");
    let findings = findings_of(&spans, &masked);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!((finding.start, finding.end), (12, 30));
    assert_eq!(finding.text, "110*************2X");
    assert_eq!((finding.severity, finding.tier, finding.class), (Severity::Major, Tier::A, WordingClass::Privacy));
    assert_eq!(finding.entry, "privacy-id");
    assert_eq!(finding.message, "公开了完整的居民身份证号码“110*************2X”，请删除或作脱敏处理");
}

#[test]
fn a_mobile_number_offered_as_a_contact_is_minor() {
    let severity = |text: &str| {
        let (masked, spans) = mask(text);
        findings_of(&spans, &masked)[0].severity
    };
    assert_eq!(severity("联系电话：13812345678"), Severity::Minor);
    assert_eq!(severity("获奖人员：张三，13812345678"), Severity::Major);
    assert_eq!(severity("联系电话：\n张三，13812345678"), Severity::Major);
}

#[test]
fn spans_that_are_not_in_the_text_are_left_out() {
    let span = MaskedSpan { start: 2, end: 9, kind: Mobile };
    assert_eq!(findings_of(&[span], "短文"), Vec::new());
}

#[test]
fn a_masked_span_survives_the_store() {
    let span = MaskedSpan { start: 5, end: 16, kind: Bankcard };
    let json = serde_json::to_string(&span).unwrap();
    assert_eq!(json, r#"{"start":5,"end":16,"kind":"bankcard"}"#);
    assert_eq!(serde_json::from_str::<MaskedSpan>(&json).unwrap(), span);
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "13812345678", "11010519491231002X", "6222021234567890128", "4111111111111111", "138", "1234",
                    "5678", "86", "+86", " ", "-", "*", "x", "\u{200b}", "１", ".", "电话", "第", "号", "元", "5178",
                ]).prop_map(str::to_owned),
                "[0-9 \\-*]{0,12}",
            ],
            0..12,
        )
    ) {
        let text: String = parts.concat();
        let (once, spans) = mask(&text);
        prop_assert_eq!(once.chars().count(), text.chars().count());
        let (twice, none) = mask(&once);
        prop_assert_eq!(&twice, &once);
        prop_assert_eq!(none, Vec::new());
        prop_assert_eq!(findings_of(&spans, &once).len(), spans.len());
    }
}
