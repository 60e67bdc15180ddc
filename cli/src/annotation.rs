//! Workflow commands of GitHub Actions, which mark lines in a pull request
//! (<https://docs.github.com>, "Workflow commands for GitHub Actions").

/// One mark on a line. `level`: `error`, `warning` or `notice`.
pub(crate) fn github(level: &str, file: &str, line: usize, title: &str, text: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    format!("::{level} file={},line={line},title={}::{}", property(file), property(title), data(text))
}
