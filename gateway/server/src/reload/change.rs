//! The change itself: prepared as a whole, and then made as a whole.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use postroom_core::id::DestinationName;
use postroom_host::{Instance, Prepared, ReloadError, Reloaded, Status};

use super::{
    Applied, Current, Governed, Loaded, Refusal, Reloader, Shown,
    load::{self, file_of},
    refusal::{faults, stopped},
};
use crate::{
    assemble,
    config::{
        Destination, Fault, Faults,
        resolve::Resolved,
        settings::{Changes, Settings},
    },
};

/// Processes that are ready to take over.
#[derive(Default)]
struct Ready {
    prepared: Vec<(DestinationName, Prepared)>,
    started: Vec<(DestinationName, Instance)>,
}

impl Reloader {
    pub(super) async fn reload_now(&self) -> Result<Applied, Refusal> {
        let mut current = self.current.lock().await;
        let read_again = Arc::clone(&self.read_again);
        let loaded = load::aside(move || Loaded::of_draft(read_again()?)).await?;
        let changes = current.settings.changes(&loaded.settings);
        let ready = self.prepare(&current, &loaded, &changes);
        let ready = self.stopping.run_until_cancelled(ready).await.ok_or(Refusal::Stopping)??;
        self.apply(&mut current, loaded, changes, ready).await
    }

    /// Starts a process for every destination that needs one. When one of them is not well, all are ended.
    async fn prepare(&self, current: &Current, new: &Loaded, changes: &Changes) -> Result<Ready, Refusal> {
        let reloaded = new.of(&changes.reloaded).filter_map(|resolved| {
            let name = &resolved.destination.name;
            let (before, instance) = (current.resolved(name)?, current.instances.get(name)?);
            let config = self.governed.offers.instance_config(resolved);
            Some(async move {
                let prepared = instance.prepare(config, drain(&before.destination)).await;
                prepared.map(|prepared| (name.clone(), prepared)).map_err(|error| (resolved, error))
            })
        });
        let added = new.of(&changes.added).map(|resolved| async move {
            let instance = Instance::start(self.governed.offers.instance_config(resolved));
            let started = first_answer(&instance).await;
            started.map(|()| (resolved.destination.name.clone(), instance)).map_err(|error| (resolved, error))
        });
        let (prepared, started) = tokio::join!(join_all(reloaded), join_all(added));
        let (prepared, refused): (Vec<_>, Vec<_>) = prepared.into_iter().partition(Result::is_ok);
        let (started, not_started): (Vec<_>, Vec<_>) = started.into_iter().partition(Result::is_ok);
        let refused = refused.into_iter().filter_map(Result::err);
        let faults: Vec<Fault> = refused
            .chain(not_started.into_iter().filter_map(Result::err))
            .flat_map(|(resolved, error)| faults(resolved, error))
            .collect();
        if !faults.is_empty() {
            return Err(Faults { file: new.config.file.clone(), faults }.into());
        }
        Ok(Ready {
            prepared: prepared.into_iter().flatten().collect(),
            started: started.into_iter().flatten().collect(),
        })
    }

    /// Goes over to `new`: from here on nothing can fail but the gateway as a whole.
    async fn apply(
        &self,
        current: &mut Current,
        new: Loaded,
        changes: Changes,
        ready: Ready,
    ) -> Result<Applied, Refusal> {
        let Governed { engine, intake, keys, sessions, destinations, stream, monitor_metrics, .. } =
            &self.governed;
        let Ready { prepared, started } = ready;
        let mut instances = current.instances.clone();
        instances.extend(started);
        let with_instances = |resolved: &[Resolved]| -> Vec<_> {
            let with_instance = |resolved: &Resolved| {
                let instance = instances.get(&resolved.destination.name)?;
                Some((resolved.clone(), instance.clone()))
            };
            resolved.iter().filter_map(with_instance).collect()
        };
        let all = with_instances(&new.resolved);
        // First, because it is the one step that can be refused; and before routes lead to what is new.
        let for_engine =
            all.iter().map(|(resolved, instance)| assemble::engine_destination(resolved, instance));
        engine.put(for_engine.collect()).await.map_err(stopped)?;
        for (name, prepared) in prepared {
            // Refused only when the gateway is stopping.
            if let Err(error) = prepared.commit().await {
                tracing::warn!(destination = %name, %error, "plugin not reloaded");
            }
        }
        for resolved in new.of(&changes.rotated) {
            if let Some(instance) = instances.get(&resolved.destination.name) {
                instance.rotate(resolved.destination.config.secrets.clone()).await;
            }
        }
        // Not before the new settings are in force: the probe goes by them.
        let mended = changes.reloaded.iter().chain(&changes.rotated).cloned().collect();
        engine.mended(mended).await.map_err(stopped)?;
        intake.put(assemble::sources(&new.config), new.config.routes.clone());
        // All monitors are judged anew by it, so not without need; and what comes of that goes by the new routes.
        if changes.touch_beside("tracker", "tracker.metrics_monitors_max") {
            let kept = engine.tracking().enrich.clone().filter(|_| !changes.touch("tracker.enrich"));
            engine.put_tracking(assemble::tracking(&new.config, kept, &self.governed.offers.clock));
        }
        if changes.touch("tracker.metrics_monitors_max") {
            monitor_metrics.put(new.config.tracker.metrics_monitors_max);
        }
        keys.put(&new.config.api_keys, new.config.api);
        sessions.put(new.config.server.public_url.as_deref());
        stream.keys_changed();
        destinations.put(all.iter().map(|(resolved, instance)| assemble::info(resolved, instance)).collect());
        // After the routes: nothing leads there any more.
        let gone = changes.removed.iter().cloned().collect();
        engine.remove(gone).await.map_err(stopped)?;
        for name in &changes.removed {
            let drain = current.resolved(name).map(|resolved| drain(&resolved.destination));
            if let Some(instance) = instances.remove(name) {
                tokio::spawn(async move { instance.stop(drain.unwrap_or_default()).await });
            }
        }

        new.config.warn_of_short_tokens();
        let Loaded { mut config, resolved, stamps, settings } = new;
        config.listing = config.listing.keeping(&current.config.listing, &changes.needs_restart);
        let settings = current.settings.after(settings);
        let fingerprint = settings.fingerprint();
        *current = Current { config, resolved, stamps, settings, instances };
        self.show(current);
        self.in_force.send_modify(|in_force| {
            in_force.generation += 1;
            in_force.fingerprint = fingerprint;
        });
        let touched = |name: &DestinationName| {
            [&changes.reloaded, &changes.rotated, &changes.added].iter().any(|names| names.contains(name))
        };
        let names = current.resolved.iter().map(|resolved| &resolved.destination.name);
        let unchanged = names.filter(|name| !touched(name)).cloned().collect();
        Ok(Applied { in_force: self.in_force(), changes, unchanged })
    }

    fn show(&self, current: &Current) {
        let Current { config, resolved, .. } = current;
        self.shown.send_replace(Arc::new(Shown { config: config.clone(), resolved: resolved.clone() }));
    }

    pub(super) async fn reload_destination_now(&self, name: &str) -> Result<Option<Reloaded>, Refusal> {
        let mut current = self.current.lock().await;
        let current = &mut *current;
        let Some(place) = current.resolved.iter().position(|it| it.destination.name.as_str() == name) else {
            return Ok(None);
        };
        let name = current.resolved[place].destination.name.clone();
        let Some(instance) = current.instances.get(&name).cloned() else { return Ok(None) };
        let (config, wanted) = (current.config.clone(), name.clone());
        let (new, stamp) = load::aside(move || load::again(&config, &wanted)).await?;
        let drain = drain(&current.resolved[place].destination);
        let prepared = instance.prepare(self.governed.offers.instance_config(&new), drain);
        let prepared = self.stopping.run_until_cancelled(prepared).await.ok_or(Refusal::Stopping)?;
        let prepared = prepared
            .map_err(|error| Faults { file: current.config.file.clone(), faults: faults(&new, error) })?;
        // How many deliveries it wants at once may be another.
        let engine = assemble::engine_destination(&new, &instance);
        self.governed.engine.put(vec![engine]).await.map_err(stopped)?;
        let reloaded = prepared.commit().await.map_err(|_| Refusal::Stopping)?;
        self.governed.engine.mended(vec![name.clone()]).await.map_err(stopped)?;

        self.governed.destinations.replace(assemble::info(&new, &instance));
        current.resolved[place] = new;
        self.show(current);
        current.stamps.remove(&name);
        current.stamps.extend(stamp.map(|stamp| (name, stamp)));
        let settings = Settings::of(&current.config, &current.resolved, |it| file_of(it, &current.stamps));
        current.settings = current.settings.after(settings);
        let fingerprint = current.settings.fingerprint();
        self.in_force.send_modify(|in_force| in_force.fingerprint = fingerprint);
        Ok(Some(reloaded))
    }
}

impl Current {
    fn resolved(&self, name: &DestinationName) -> Option<&Resolved> {
        self.resolved.iter().find(|resolved| resolved.destination.name == *name)
    }
}

/// How long a process may take to end what it has: each delivery ends by then, so that a reload costs none an attempt.
const fn drain(destination: &Destination) -> Duration {
    destination.extend_max
}

/// Waits until a plugin that was just started is ready.
async fn first_answer(instance: &Instance) -> Result<(), ReloadError> {
    let mut status = instance.status();
    let answer = status.wait_for(|status| !matches!(status, Status::Starting)).await;
    match answer.as_deref() {
        Ok(Status::Ready { .. }) => Ok(()),
        Ok(Status::Refused { reason } | Status::Backoff { last_error: reason, .. }) => {
            Err(ReloadError::Failed { reason: reason.clone() })
        }
        Ok(Status::Starting | Status::Stopped) | Err(_) => Err(ReloadError::Stopped),
    }
}
