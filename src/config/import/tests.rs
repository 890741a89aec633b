//! Tables as offices make them, and the way out and in again.

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::*;
use crate::config::{TableFormat, accounts_yaml, check::check_registry_yaml, export_registry};
use crate::model::account::{AccountKind, AccountStatus, SourceSpec, UnitLevel};

const TABLE: &str = "\
云岭州政务新媒体登记表,,,,,,
账号名称,平台/类型,主办单位,单位层级,所属地区,备案日期,采集地址
云岭教育,订阅号,州教育局,州级,云岭州,2021年3月1日,http://127.0.0.1:8001/a.xml；http://127.0.0.1:8001/b.xml
云岭教育,抖音号,州教育局,,,,
青石发布,新浪微博,青石县政府办,县市,青石县,2021/3/1,
";

fn plan(table: &str) -> ImportPlan {
    plan_import(&Registry::default(), "表.csv", table.as_bytes()).unwrap_or_else(|errors| panic!("{errors}"))
}

fn errors(current: &Registry, table: &str) -> Vec<String> {
    plan_import(current, "表.csv", table.as_bytes()).unwrap_err().0.iter().map(ToString::to_string).collect()
}

fn example() -> Registry {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/accounts.yaml");
    check_registry_yaml("accounts.yaml", &std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_table_with_chinese_headers_makes_a_registry() {
    let plan = plan(TABLE);
    assert_eq!((plan.units_added.len(), plan.added.len(), plan.changed.len()), (2, 3, 0));
    let [wechat, douyin, weibo] = plan.registry.accounts.as_slice() else { panic!("{plan:?}") };
    assert_eq!(wechat.kind, AccountKind::WechatSubscription);
    assert_eq!(wechat.filed_on.unwrap().to_string(), "2021-03-01");
    assert_eq!(wechat.sources.len(), 2);
    assert_eq!((douyin.kind, &douyin.unit), (AccountKind::Douyin, &wechat.unit));
    assert_eq!(weibo.status, AccountStatus::Active);
    assert_eq!(plan.registry.units[1].level, UnitLevel::County);
}

#[test]
fn importing_again_changes_nothing_and_ids_are_stable() {
    let first = plan(TABLE);
    assert_eq!(first, plan(TABLE));
    let again = plan_import(&first.registry, "表.csv", TABLE.as_bytes()).unwrap();
    assert!(again.is_empty(), "{again:#?}");
    assert_eq!((again.n_unchanged, &again.registry), (3, &first.registry));
}

#[test]
fn a_row_changes_the_account_it_names_and_empty_cells_leave_the_rest() {
    let current = plan(TABLE).registry;
    let table = "账号名称,类型,主办单位,状态,备案日期\n云岭教育,抖音,州教育局,已注销,20220501\n";
    let plan = plan_import(&current, "表.csv", table.as_bytes()).unwrap();
    assert_eq!((plan.added.len(), plan.changed.len(), plan.registry.accounts.len()), (0, 1, 3));
    let fields: Vec<(&str, &str, &str)> =
        plan.changed[0].fields.iter().map(|f| (f.field, f.old.as_str(), f.new.as_str())).collect();
    assert_eq!(fields, [("status", "active", "deregistered"), ("filed_on", "", "2022-05-01")]);
    let by_id = format!("账号ID,账号名称,备注,状态\n{},云岭教育发布,x,\n", current.accounts[0].id);
    let plan = plan_import(&current, "表.csv", by_id.as_bytes()).unwrap();
    assert_eq!(plan.changed[0].fields[0].new, "云岭教育发布");
    assert_eq!(plan.registry.accounts[0].sources, current.accounts[0].sources);
}

#[test]
fn every_bad_cell_names_sheet_row_column_and_value() {
    let check = |row: &str, expected: &[&str]| {
        let head = "账号名称,账号类型,主办单位,单位层级,地区,备案日期,采集地址\n";
        let fine = "甲,微博,甲局,州级,甲州,,\n";
        let found = errors(&Registry::default(), &[head, fine, row, "\n"].concat());
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (error, words) in found.iter().zip(expected) {
            assert!(error.starts_with("表.csv: sheet `CSV`, row 3, column ") && error.contains(words), "{found:#?}");
        }
    };
    check(
        "乙,微信公众号,甲局,,,2021-02-30,ftp://a.example/",
        &[
            "column `账号类型`: `微信公众号` ",
            "column `备案日期`: `2021-02-30` ",
            "column `采集地址`: url: `ftp://a.example/` ",
        ],
    );
    check("乙,微博,乙局,,,,", &["`单位层级`: is empty for the new unit `乙局`", "`地区`"]);
    check("乙,抖音,甲局,县市,,,", &["`单位层级`: `县市` differs from `州级`"]);
    check("乙,抖音,,,,,", &["`主办单位`: is empty"]);
    check("甲,微博,甲局,,,,", &["a row above"]);
    check(",抖音,甲局,,,,", &["`账号名称`: is empty"]);
    check("乙,抖音,甲局,,,,ftp://a.example/", &["neither http nor https"]);
    check("乙,抖音,甲局,,,,http://u:p@a.example/", &["name or password"]);
}

#[test]
fn a_table_without_headers_or_with_double_ones_is_refused() {
    assert!(errors(&Registry::default(), "a,b\n1,2\n")[0].contains("has no row of headers"));
    let double = errors(&Registry::default(), "账号名称,name,账号类型,主办单位\n");
    assert!(double[0].contains("means the same as the column `账号名称`"), "{double:?}");
}

#[test]
fn supervisors_are_found_by_name_and_rings_are_refused() {
    let head = "账号名称,账号类型,主办单位,单位层级,地区,主管单位\n";
    let plan = plan(&[head, "甲,微博,甲局,州级,甲州,乙办\n,,乙办,州级,甲州,\n"].concat());
    assert_eq!(plan.registry.units[0].supervisor.as_ref(), Some(&plan.registry.units[1].id));
    let ring = [head, "甲,微博,甲局,州级,甲州,乙办\n,,乙办,州级,甲州,甲局\n"].concat();
    assert!(errors(&Registry::default(), &ring)[0].contains("back to itself"));
    let unknown = [head, "甲,微博,甲局,州级,甲州,丙办\n"].concat();
    assert!(errors(&Registry::default(), &unknown)[0].contains("`丙办` is not a known unit"));
}

#[test]
fn a_workbook_with_a_title_and_date_cells_is_read() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().set_name("说明").unwrap().write_string(0, 0, "填表说明").unwrap();
    let sheet = workbook.add_worksheet().set_name("登记表").unwrap();
    sheet.write_string(0, 0, "登记表").unwrap();
    for (column, text) in (0..).zip(["账号名称", "类型", "主办单位", "层级", "地区", "备案时间", "平台账号ID"])
    {
        sheet.write_string(2, column, text).unwrap();
    }
    for (column, text) in (0..).zip(["云岭教育", "订阅号", "州教育局", "州直", "云岭州"]) {
        sheet.write_string(3, column, text).unwrap();
    }
    let day = Format::new().set_num_format("yyyy/m/d");
    sheet.write_datetime_with_format(3, 5, ExcelDateTime::from_ymd(2021, 3, 1).unwrap(), &day).unwrap();
    sheet.write_number(3, 6, 1_234_567.0).unwrap();
    // A cell far out must cost nothing.
    sheet.write_string(1_048_575, 16_383, "x").unwrap();
    let plan = plan_import(&Registry::default(), "表.xlsx", &workbook.save_to_buffer().unwrap());
    let registry = plan.unwrap_or_else(|errors| panic!("{errors}")).registry;
    let [account] = registry.accounts.as_slice() else { panic!("{registry:?}") };
    assert_eq!(account.filed_on.unwrap().to_string(), "2021-03-01");
    assert_eq!(account.platform_id.as_deref(), Some("1234567"));
    assert_eq!(registry.units[0].level, UnitLevel::Prefecture);
}

#[test]
fn what_is_exported_is_imported_without_a_difference() {
    let registry = example();
    for format in [TableFormat::Csv, TableFormat::Xlsx] {
        let bytes = export_registry(&registry, format).unwrap();
        let plan = plan_import(&registry, "表", &bytes).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(plan.is_empty() && plan.registry == registry, "{:#?}", plan.changed);
        assert_eq!(bytes, export_registry(&registry, format).unwrap(), "the same registry makes the same bytes");
        let fresh = plan_import(&Registry::default(), "表", &bytes).unwrap().registry;
        assert_eq!(fresh.accounts, registry.accounts);
        assert_eq!(fresh.units.len(), registry.units.len());
    }
    let plan = plan_import(&registry, "a.yaml", accounts_yaml(&registry).as_bytes()).unwrap();
    assert!(plan.is_empty() && plan.registry == registry);
}

#[test]
fn the_settings_of_a_source_survive_export_and_import() {
    let registry = example();
    let kinds = |registry: &Registry| {
        let specs = registry.accounts.iter().flat_map(|account| &account.sources).map(|source| source.spec.clone());
        specs.filter(|spec| matches!(spec, SourceSpec::HtmlList(_))).count()
    };
    assert!(kinds(&registry) > 0);
    let bytes = export_registry(&registry, TableFormat::Csv).unwrap();
    let fresh = plan_import(&Registry::default(), "表", &bytes).unwrap().registry;
    assert_eq!(kinds(&fresh), kinds(&registry));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_name_survives_export_and_import(name in "[=+@'\\-]{0,3}\\PC{1,20}") {
        prop_assume!(crate::config::values::line(&name).is_ok_and(|line| line == name));
        let mut registry = plan(TABLE).registry;
        registry.accounts[0].name = name;
        for format in [TableFormat::Csv, TableFormat::Xlsx] {
            let bytes = export_registry(&registry, format).unwrap();
            let plan = plan_import(&registry, "表", &bytes).unwrap();
            prop_assert_eq!(&plan.registry, &registry);
        }
    }

    #[test]
    fn no_bytes_make_the_import_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC*") {
        let _ = plan_import(&Registry::default(), "a.csv", &bytes);
        let head = "账号名称,类型,主办单位,层级,地区,备案日期,采集地址,采集参数\n";
        let _ = plan_import(&Registry::default(), "a.csv", [head, &text].concat().as_bytes());
    }
}
