use super::sample::prefecture;
use super::*;

#[test]
fn look_at_it() {
    let sample = prefecture();
    let report = roll_up(&sample.input());
    std::fs::create_dir_all("/tmp/look").unwrap();
    for format in Format::ALL {
        std::fs::write(format!("/tmp/look/{}", file_name(&report, format)), render(&report, format).unwrap()).unwrap();
    }
    println!("{:#?}", report.overview);
}
