//! One question, answered by a machine that this thread has kept ready.

use std::cell::RefCell;
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use regorus::Value;
use regorus::rvm::RegoVM;
use regorus::rvm::vm::VmError;
use regorus::utils::limits::{ExecutionTimerConfig, monotonic_now};

use crate::compile::{Compiled, Machine};
use crate::index::operation_in;
use crate::ruling::Ruling;
use crate::{Limits, Term};

/// Stack that a thread must have which evaluates: a policy may build values that are thousands deep before its
/// instructions run out, and letting go of them takes stack.
pub const STACK: usize = 16 * 1024 * 1024;

/// Machines that one thread keeps.
const KEPT: usize = 16;
/// The engine looks at the clock on the wall. On a busy machine the kernel may take the thread away for longer than a question
/// may take; that is not the policy's doing, so it is asked again.
const TRIES: u32 = 64;
/// As much processor time as this many questions may take goes into all tries after the first.
const PATIENCE: u32 = 2;
/// Instructions between two looks at the clock.
const TICK: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);

/// Why a question has no answer. Whoever asked takes it for a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("it took longer than {0} ms")]
    Time(u128),
    #[error("it took more than {0} instructions")]
    Instructions(usize),
    #[error("a function was given or would make more than it may")]
    Size,
    #[error("{0}")]
    Shape(String),
    #[error("the engine: {0}")]
    Engine(String),
}

thread_local! {
    /// Newest first.
    static MACHINES: RefCell<Vec<(u64, RegoVM)>> = const { RefCell::new(Vec::new()) };
}

impl Compiled {
    /// What the bundle says of `input`: its root package, and the package of this slice if it has one.
    pub fn evaluate(&self, slice: &str, input: &Term) -> Result<Ruling, Failure> {
        let mut outcome = self.attempt(slice, input);
        // Asking for the processor time takes the kernel longer than most questions take here.
        let Err(Failure::Time(_)) = outcome else { return outcome };
        let begun = processor_time();
        for _ in 1..TRIES {
            outcome = self.attempt(slice, input);
            let used = processor_time().saturating_sub(begun);
            if !matches!(outcome, Err(Failure::Time(_))) || used > self.0.limits.time * PATIENCE {
                break;
            }
        }
        outcome
    }

    fn attempt(&self, slice: &str, input: &Term) -> Result<Ruling, Failure> {
        let machine = &*self.0;
        let mut ruling = Ruling::default();
        let clock = Clock::start(machine.limits.time);
        with_vm(machine, |vm| {
            vm.set_input(input.0.clone());
            let operation = operation_in(&input.0);
            for part in machine.voices_of(slice) {
                let indexed =
                    part.index.as_ref().zip(operation).map(|(index, operation)| index.entry(operation));
                let said = run(vm, indexed.unwrap_or(part.entry), &machine.limits, &clock)?;
                ruling.hear(part.voice, &part.package, &said)?;
            }
            // The machine stays; what it was asked about does not.
            vm.set_input(Value::Null);
            Ok(())
        })?;
        ruling.join(Ruling::default());
        Ok(ruling)
    }
}

/// Of this thread.
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

/// The time of one question, over all rules that are asked.
pub(crate) struct Clock {
    started: Duration,
    limit: Duration,
}

impl Clock {
    pub(crate) fn start(limit: Duration) -> Self {
        Self { started: monotonic_now().unwrap_or_default(), limit }
    }

    fn left(&self) -> Duration {
        let spent = monotonic_now().unwrap_or_default().saturating_sub(self.started);
        self.limit.saturating_sub(spent)
    }
}

pub(crate) fn run(vm: &mut RegoVM, entry: usize, limits: &Limits, clock: &Clock) -> Result<Value, Failure> {
    vm.set_execution_timer_config(Some(ExecutionTimerConfig { limit: clock.left(), check_interval: TICK }));
    // Some functions of the engine panic on odd arguments; the machine is dropped then, as after any failure.
    let ended = catch_unwind(AssertUnwindSafe(|| vm.execute_entry_point_by_index(entry)));
    let ended = ended.map_err(|_| Failure::Engine("a function panicked".into()))?;
    ended.map_err(|error| match error {
        VmError::TimeLimitExceeded { .. } => Failure::Time(limits.time.as_millis()),
        VmError::InstructionLimitExceeded { .. } => Failure::Instructions(limits.instructions),
        VmError::MemoryLimitExceeded { .. } | VmError::MemoryBudgetExceeded { .. } => Failure::Size,
        other => Failure::Engine(other.to_string()),
    })
}

pub(crate) fn fresh_vm(machine: &Machine) -> Result<RegoVM, Failure> {
    let mut vm = RegoVM::new();
    vm.load_program(machine.program.clone());
    vm.set_data(machine.data.clone()).map_err(|error| Failure::Engine(error.to_string()))?;
    vm.set_max_instructions(machine.limits.instructions);
    Ok(vm)
}

/// A machine is taken out while it works and put back only if it ended well: what is left of a failure is dropped.
fn with_vm(machine: &Machine, work: impl FnOnce(&mut RegoVM) -> Result<(), Failure>) -> Result<(), Failure> {
    let kept = MACHINES.with_borrow_mut(|machines| {
        let at = machines.iter().position(|(id, _)| *id == machine.id)?;
        Some(machines.remove(at).1)
    });
    let mut vm = match kept {
        Some(vm) => vm,
        None => fresh_vm(machine)?,
    };
    work(&mut vm)?;
    MACHINES.with_borrow_mut(|machines| {
        machines.truncate(KEPT - 1);
        machines.insert(0, (machine.id, vm));
    });
    Ok(())
}
