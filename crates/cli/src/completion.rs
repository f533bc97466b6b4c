//! `safeconduct completion SHELL`

use clap::Args;
use clap_complete::Shell;

use crate::desk::Desk;
use crate::failure::Failure;

#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  source <(safeconduct completion bash)
  safeconduct completion zsh > ~/.zfunc/_safeconduct
  safeconduct completion fish > ~/.config/fish/completions/safeconduct.fish")]
pub struct Completion {
    shell: Shell,
}

pub(crate) fn run(desk: &mut Desk<'_>, completion: &Completion) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completion.shell, &mut desk.host.command_line(), "safeconduct", &mut script);
    desk.screen.raw(&script)
}
