//! The chart's README: its table of values is made from the values file's comments.

use super::{folder, fresh, values};

const HEAD: &str = "# Wayguard's chart

Policy and security admission for Kubernetes: `serve` answers the API server, `control` keeps webhook configurations,
certificates and statuses in order, each role with an account of its own. No template makes a webhook configuration or a
certificate: `control` does, from the policies, and an uninstall removes them first.

```sh
helm install wayguard charts/wayguard --namespace wayguard-system --create-namespace \\
  --set image.repository=registry.example/wayguard
```

The first installation observes; `--set enforce=true` refuses. [The guide](../../docs/guides/install.md) tells of upgrades, of
uninstalling, and of the same without Helm. A value that is not below is refused.

## Values

| value | default | |
|---|---|---|
";

#[test]
fn the_readme_lists_all_values() {
    let mut text = HEAD.to_owned();
    for entry in values::entries(&values::file()) {
        let default = if entry.default.is_empty() { String::new() } else { format!("`{}`", entry.default) };
        text.push_str(&format!("| `{}` | {default} | {} |\n", entry.path, entry.comment.replace('|', "\\|")));
    }
    fresh(folder().join("README.md"), &text);
}
