//! Actions, each on a thread of its own: a plugin may well do the whole of one before it returns.

use std::{sync::Arc, thread};

use bytes::Bytes;
use postroom_abi::{POSTROOM_E_UNAVAILABLE, POSTROOM_OK};

use super::{outbox::Outbox, threads::OwnThread};
use crate::{action::ActionReport, native::Instance, sandbox::STACK_BYTES, wire::ToGateway};

/// Begins an action. The gateway bounds how many there are.
pub(super) fn run(
    instance: &Arc<Instance>,
    outbox: &Outbox,
    token: u64,
    deadline_unix_ms: u64,
    name: String,
    input_json: Bytes,
) {
    let (instance, answers) = (Arc::clone(instance), outbox.clone());
    let run = move || {
        let _own = OwnThread::enter();
        let status = instance.run_action(token, deadline_unix_ms, &name, &input_json);
        if status != POSTROOM_OK {
            answers.send(&ToGateway::ActionReply { token, report: ActionReport::of(status) });
        }
    };
    if let Err(error) = thread::Builder::new().name("action".to_owned()).stack_size(STACK_BYTES).spawn(run) {
        let message = format!("there is no thread for it: {error}");
        let report = ActionReport { message, ..ActionReport::of(POSTROOM_E_UNAVAILABLE) };
        outbox.send(&ToGateway::ActionReply { token, report });
    }
}
