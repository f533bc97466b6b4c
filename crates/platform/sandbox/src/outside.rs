//! What a call asks the host for, because the jail has no way to it.
//!
//! A CALL frame is a number of four bytes, a service of one, the length of a head in four, the head, and a body; the REPLY to
//! it is the number, the length of a head, the head, and a body. One is under way at a time, so that neither end keeps more
//! than one in memory; a second one breaks the protocol. Heads and bodies are between the service and the runner.

use std::pin::Pin;

/// Longest CALL: the largest body that a service takes, and its head.
pub(crate) const LONGEST_CALL: usize = (8 << 20) + (128 << 10);

/// Answers what calls ask. Cancelled by being dropped, as soon as the call ends.
pub trait Outside: Send + Sync {
    fn ask(&self, asked: HostCall) -> Pin<Box<dyn Future<Output = HostReply> + Send>>;
}

/// One CALL. Tenant code's bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct HostCall {
    /// 1 is HTTP.
    pub service: u8,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

/// One REPLY.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HostReply {
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

/// Number and content of a CALL; `None` for bytes that are none.
pub(crate) fn read_call(mut payload: Vec<u8>) -> Option<(u32, HostCall)> {
    let (fixed, rest) = payload.split_first_chunk::<9>()?;
    let [a, b, c, d, service, length @ ..] = *fixed;
    let length = u32::from_be_bytes(length) as usize;
    let head = rest.get(..length)?.to_vec();
    let body = payload.split_off(9 + length);
    Some((u32::from_be_bytes([a, b, c, d]), HostCall { service, head, body }))
}

pub(crate) fn write_reply(number: u32, answered: &HostReply) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    payload.extend_from_slice(&u32::try_from(answered.head.len()).unwrap_or(u32::MAX).to_be_bytes());
    payload.extend_from_slice(&answered.head);
    payload.extend_from_slice(&answered.body);
    payload
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(number: u32, asked: &HostCall) -> Vec<u8> {
        let mut payload = number.to_be_bytes().to_vec();
        payload.push(asked.service);
        payload.extend_from_slice(&u32::try_from(asked.head.len()).unwrap().to_be_bytes());
        payload.extend_from_slice(&asked.head);
        payload.extend_from_slice(&asked.body);
        payload
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_call_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some((number, asked)) = read_call(bytes.clone()) {
                prop_assert_eq!(call(number, &asked), bytes);
            }
        }

        #[test]
        fn a_call_is_read_as_it_was_written(
            number in any::<u32>(), service in any::<u8>(),
            head in prop::collection::vec(any::<u8>(), 0..64), body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let asked = HostCall { service, head, body };
            prop_assert_eq!(read_call(call(number, &asked)), Some((number, asked)));
        }
    }

    #[test]
    fn a_head_that_ends_behind_the_frame_is_no_call() {
        assert_eq!(read_call(vec![0, 0, 0, 1, 1, 0xff, 0xff, 0xff, 0xff, b'{']), None);
        assert_eq!(read_call(vec![0, 0, 0, 1, 1, 0, 0, 0]), None);
    }
}
