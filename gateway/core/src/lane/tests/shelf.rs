//! The store, as far as lanes can see it: what waits, in order of the ids.

use super::*;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) waiting: BTreeMap<DeliveryId, Ticket>,
    /// Deliveries that reads have brought.
    pub(super) read: usize,
}

impl Shelf {
    pub(super) fn of(tickets: impl IntoIterator<Item = Ticket>) -> Self {
        Self { waiting: tickets.into_iter().map(|ticket| (ticket.id, ticket)).collect(), read: 0 }
    }

    pub(super) fn put(&mut self, ticket: Ticket) {
        self.waiting.insert(ticket.id, ticket);
    }

    pub(super) fn look_up(&self, read: &Read) -> Vec<Ticket> {
        let (of, after, limit) = match read {
            Read::Lane { lane, after, limit } => (Some(lane), after, limit),
            Read::Destination { after, limit, .. } => (None, after, limit),
        };
        let after = after.map_or(i64::MIN, DeliveryId::get);
        let rest = self.waiting.range(DeliveryId::new(after.saturating_add(1))..).map(|(_, ticket)| ticket);
        rest.filter(|ticket| of.is_none_or(|lane| ticket.lane == *lane)).take(*limit).cloned().collect()
    }

    /// Answers reads until there are none; gives what became superseded.
    pub(super) fn serve(&mut self, lanes: &mut Lanes) -> Vec<(LaneKey, Vec<DeliveryId>)> {
        let mut superseded = Vec::new();
        for _ in 0..1_000_000 {
            let reads = lanes.reads();
            if reads.is_empty() {
                return superseded;
            }
            for read in reads {
                let tickets = self.look_up(&read);
                self.read += tickets.len();
                superseded.extend(lanes.answer(&read, tickets, NOW));
            }
        }
        panic!("reads without end");
    }

    /// Ends a delivery well, in the store and in the lanes.
    #[track_caller]
    pub(super) fn finish(&mut self, lanes: &mut Lanes, ticket: &Ticket) {
        assert!(self.waiting.remove(&ticket.id).is_some(), "{} was not waiting any more", ticket.id);
        assert_eq!(lanes.settle(&ticket.lane, ticket.id, Next::Finished), ids(&[]));
    }

    /// Ends an attempt with a failure: the delivery waits until `due`.
    #[track_caller]
    pub(super) fn fail(&mut self, lanes: &mut Lanes, ticket: &Ticket, due: Timestamp) {
        let attempts = ticket.attempts + 1;
        self.put(Ticket { due, attempts, ..ticket.clone() });
        let next = Next::Again { due, attempts, asked: false };
        assert_eq!(lanes.settle(&ticket.lane, ticket.id, next), ids(&[]));
    }
}
