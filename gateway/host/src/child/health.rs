//! Asks the plugin how it is.

use std::{sync::Arc, thread};

use postroom_abi::POSTROOM_E_UNAVAILABLE;

use super::{outbox::Outbox, threads::OwnThread};
use crate::{native::Instance, plugin_health::HealthReport, wire::ToGateway};

/// Asks on a thread of its own: the plugin has more time for its answer than a ping leaves. The gateway asks again only when
/// it has the answer, so there is one such thread at most.
pub(super) fn ask(instance: &Arc<Instance>, outbox: &Outbox) {
    let ask = {
        let (instance, outbox) = (Arc::clone(instance), outbox.clone());
        move || {
            let _own = OwnThread::enter();
            outbox.send(&ToGateway::Health { report: instance.health() });
        }
    };
    if let Err(error) = thread::Builder::new().name("health".to_owned()).spawn(ask) {
        let message = format!("there is no thread to ask it: {error}");
        let detail_json = serde_json::json!({ "message": message }).to_string();
        let report = HealthReport { status: POSTROOM_E_UNAVAILABLE, detail_json };
        outbox.send(&ToGateway::Health { report: Some(report) });
    }
}
