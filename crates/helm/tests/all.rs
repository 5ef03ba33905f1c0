//! Charts of our own against what the real `helm template` printed for them (`cargo xtask golden`).

#[path = "../examples/helm_template/args.rs"]
mod args;
mod golden;
mod limits;
mod robust;
#[path = "../examples/helm_template/run.rs"]
#[allow(dead_code, reason = "the test calls what the program calls, but not its exit code")]
mod run;
