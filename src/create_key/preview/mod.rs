//! What *Finish* will create, as text: AWS CLI commands, the key policy, who gets access, and Terraform.

pub mod changes;
mod commands;
pub mod terraform;

pub use commands::{aws_cli_commands, create_alias_command, policy_summary, remaining_commands, shell_script};
