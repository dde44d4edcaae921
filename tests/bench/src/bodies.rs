//! What is posted: Postman's shapes, in the sizes that the figures are about.

/// A body with a place in it that makes it another monitor's or another collection's.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    /// Where the four hexadecimal digits begin that tell subjects apart.
    subject: usize,
}

/// Subjects that the load is about, and so lanes that it falls into.
pub(crate) const SUBJECTS: usize = 1000;

const MONITOR_RUN_BYTES: usize = 1024;

/// The digits that are replaced.
const PLACE: &str = "0000-ffff";

impl Body {
    /// A monitor run of 1 KiB.
    pub(crate) fn monitor_run() -> Self {
        let text = format!(
            r#"{{
	"collection_name": "Order checks",
	"collection_uid": "127862-711a2044-c4fc-441b-b169-233c07489031",
	"user_name": "Alex Doe",
	"user_id": "127862",
	"monitor_name": "Checkout every 5 minutes",
	"monitor_uid": "1e8eea47-e976-4b60-a122-11a5{PLACE}",
	"environment_name": "Production",
	"environment_uid": "127862-51eb6452-10d2-45d3-82ae-fc4c67b59b7c",
	"metrics": {{ "errors": 0, "failedTests": 2, "passedTests": 246, "requestCount": 117, "totalLatency": 28348, "warnings": 0 }},
	"failures": ""#
        );
        Self::filled(text, MONITOR_RUN_BYTES, "Status code is 200: expected 502 to equal 200. ", "\"\n}")
    }

    /// A collection backup of `bytes` bytes.
    pub(crate) fn backup(bytes: usize) -> Self {
        let head = format!(
            r#"{{"collection":{{"info":{{"_postman_id":"711a2044-c4fc-441b-b169-233c{PLACE}","name":"Orders","schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}},"item":["#
        );
        let item = r#"{"name":"Get order","request":{"method":"GET","header":[{"key":"Accept","value":"application/json"}],"url":{"raw":"{{base}}/orders/1","host":["{{base}}"],"path":["orders","1"]}},"response":[]},"#;
        Self::filled(head, bytes, item, "{}]}}")
    }

    /// Repeats `filling` between `head` and `tail`, and makes up the rest with spaces, which JSON allows there.
    fn filled(head: String, bytes: usize, filling: &str, tail: &str) -> Self {
        let subject = head.find(PLACE).expect("every body has the place") + PLACE.len() - 4;
        let room = bytes.saturating_sub(head.len() + tail.len());
        let mut text = head;
        text.reserve(room + tail.len());
        text.push_str(&filling.repeat(room / filling.len()));
        text.push_str(&" ".repeat(room % filling.len()));
        text.push_str(tail);
        Self { bytes: text.into_bytes(), subject }
    }

    /// The place of the digits, for a request that has this body at its end.
    pub(crate) fn subject_from_end(&self) -> usize {
        self.bytes.len() - self.subject
    }
}

/// The digits of subject `number`.
pub(crate) fn subject(number: usize) -> [u8; 4] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [12, 8, 4, 0].map(|shift| DIGITS[(number >> shift) & 15])
}

#[cfg(test)]
mod tests;
