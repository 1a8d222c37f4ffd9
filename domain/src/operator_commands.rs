//! Commands that the operator is told to run. Others' text in them is text to the shell, too.

/// The command with these arguments, whatever stands in them, to be pasted into a shell.
#[must_use]
pub fn command(begins: &str, arguments: &[&str]) -> String {
    let mut command = begins.to_owned();
    if arguments.iter().any(|argument| argument.starts_with('-')) {
        command.push_str(" --");
    }
    for argument in arguments {
        command.push(' ');
        command.push_str(&quoted(argument));
    }
    command
}

/// One word of a POSIX shell's (POSIX.1-2024 XCU section 2.2.2).
fn quoted(word: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '-' | '+' | '/');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_takes_every_argument_as_it_is() {
        let arguments = [
            "100001",
            "kari@nordlys.example",
            "x`touch${IFS}/tmp/x`@a.example",
            "$(id)@a.example",
            "a'b'@a.example",
            "'$(id)'@a.example",
            "!x@a.example",
            "{a,b}*?~#&;|<>()@a.example",
            "~root",
            "=ls",
            "two words",
            "",
            "-n@a.example",
        ];
        let all: Vec<_> = std::iter::once("%s\\n").chain(arguments).collect();
        let command = command("printf", &all);
        let answer = Command::new("sh").args(["-c", &command]).output().unwrap();
        let told = String::from_utf8(answer.stdout).unwrap();
        assert_eq!(told.lines().collect::<Vec<_>>(), arguments, "{command}");
    }

    #[test]
    fn what_needs_no_quotes_has_none() {
        let lift = command("latchkey report lift", &["100001", "kari+x@nordlys.example"]);
        assert_eq!(lift, "latchkey report lift 100001 kari+x@nordlys.example");
        let lift = command("latchkey report lift", &["100001", "--config=x@nordlys.example"]);
        assert_eq!(lift, "latchkey report lift -- 100001 '--config=x@nordlys.example'");
    }
}
