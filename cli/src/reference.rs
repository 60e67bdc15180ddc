//! The reference of the command line, `docs/reference/cli.md`, made from the commands themselves: a test holds the
//! committed page against them.

use crate::args::Cli;
use clap::CommandFactory as _;
use std::fmt::Write as _;
use std::path::Path;

/// All commands, each with its usage, its options and their environment variables.
fn page() -> String {
    let mut root = Cli::command();
    root.build();
    let mut page = String::from(
        "# The command line\n\nMade from the program: `wayguard help COMMAND` says the same. Exit codes: 0 fine, 1 our failure, 2 denied or\ntests failed, 3 invalid policy, input or usage. Data goes to stdout, talk to stderr; `NO_COLOR` is honoured.\n",
    );
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        section(&mut page, command);
    }
    page
}

fn section(page: &mut String, command: &clap::Command) {
    let below: Vec<_> = command.get_subcommands().filter(|it| it.get_name() != "help").collect();
    let name = command.get_bin_name().unwrap_or_default();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = write!(page, "\n## `{name}`\n\n{about}.\n");
    let usage = command.clone().render_usage().to_string();
    let _ = write!(page, "\n```text\n{usage}\n```\n");
    let options: Vec<_> =
        command.get_arguments().filter(|it| !it.is_hide_set() && !it.is_global_set()).collect();
    if options.iter().any(|it| it.get_id() != "help") {
        page.push_str("\n| option | what it does | environment |\n|---|---|---|\n");
    }
    for option in options.iter().filter(|it| !matches!(it.get_id().as_str(), "help" | "version")) {
        let _ =
            writeln!(page, "| {} | {} | {} |", names(option), cell(&meaning(option)), environment(option));
    }
    if let Some(examples) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{}\n```\n", examples.to_string().trim_end());
    }
    for command in below {
        section(page, command);
    }
}

fn names(option: &clap::Arg) -> String {
    let value = option.get_value_names().filter(|_| option.get_action().takes_values());
    let value = value.map(|names| names.iter().map(|name| format!(" {name}")).collect::<String>());
    let value = cell(&value.unwrap_or_default());
    match option.get_long() {
        Some(long) => format!("`{}`", format!("--{long} {value}").trim_end()),
        None => format!("`{value}`"),
    }
}

fn meaning(option: &clap::Arg) -> String {
    let mut text = option.get_long_help().or(option.get_help()).map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = option.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if option.get_action().takes_values() && !option.is_hide_default_value_set() && !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    text
}

fn environment(option: &clap::Arg) -> String {
    let name = option.get_env().filter(|_| !option.is_hide_env_set());
    name.map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default()
}

/// One line, in which nothing ends a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_reference_of_the_command_line_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/cli.md");
    let page = page();
    if std::env::var_os("WAYGUARD_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/cli.md is not what the program gives now; run `WAYGUARD_UPDATE=1 cargo test -p wayguard reference`"
    );
}
