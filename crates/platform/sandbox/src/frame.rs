//! The frame: a big-endian length of four bytes, a kind of one byte, that many bytes of payload.
//!
//! The parser is total: any bytes give a frame, a wish for more, or an error. It never allocates for a length that the
//! kind does not allow, because the other end may be tenant code.

use thiserror::Error;

/// Length and kind.
const HEADER: usize = 5;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal),* $(,)?) => {
        /// What a frame says. The numbers are the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Kind { $($(#[$doc])* $name = $number),* }

        impl Kind {
            /// Every kind there is.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name),*];

            fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// init → server: the jail stands; carries the door's listening socket.
    Hello = 1,
    /// server → zygote: load this code; carries a file with it.
    Load = 2,
    /// zygote → server: loaded.
    Ready = 3,
    /// server → call: context and input.
    Invoke = 4,
    /// call → server: one piece of output.
    Log = 5,
    /// call → server: how far it is.
    Emit = 6,
    /// call → server: something that only the host can do.
    Call = 7,
    /// server → call: what came of it.
    Reply = 8,
    /// call → server: the answer.
    Result = 9,
    /// Whoever failed → server.
    Error = 10,
    /// call → server: a question.
    Ask = 11,
    /// server → call: what was answered.
    Answer = 12,
    /// server → zygote: fork for a call; carries the call's socket and its raw output.
    Fork = 13,
    /// zygote → init → server: the call's process; init adds the pidfd.
    Forked = 14,
    /// init → server: a call's process ended, or the zygote did.
    Exited = 15,
    /// server → launcher: make a jail; carries init's end of the control socket.
    Launch = 16,
    /// launcher → server: made; carries init's pidfd.
    Launched = 17,
    /// launcher → init: the jail is mapped, or this process is over its limit.
    Limit = 18,
    /// server → init: a fork that waited has become a call.
    Begin = 19,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) payload: Vec<u8>,
}

/// Bytes that are no frame. Nothing after them can be trusted, so the conversation ends.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum FrameError {
    #[error("frame of unknown kind {0}")]
    UnknownKind(u8),
    #[error("{kind:?} frame of {length} bytes, allowed are {allowed}")]
    TooLarge { kind: Kind, length: usize, allowed: usize },
    #[error("packet does not hold exactly one frame")]
    Packet,
}

impl Frame {
    pub(crate) fn new(kind: Kind, payload: Vec<u8>) -> Self {
        Self { kind, payload }
    }

    /// The bytes on the wire. A payload past 4 GiB cannot be made: callers check their limits long before.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Exactly one frame, as a packet socket delivers it.
    pub(crate) fn from_packet(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut decoder = Decoder::new(|_| bytes.len());
        decoder.feed(bytes);
        match decoder.next()? {
            Some(frame) if decoder.is_empty() => Ok(frame),
            _ => Err(FrameError::Packet),
        }
    }
}

/// Turns a stream of bytes into frames; `allowed` says how long a payload of each kind may be.
pub(crate) struct Decoder<A> {
    buffer: Vec<u8>,
    start: usize,
    allowed: A,
}

impl<A: Fn(Kind) -> usize> Decoder<A> {
    pub(crate) fn new(allowed: A) -> Self {
        Self { buffer: Vec::new(), start: 0, allowed }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` while bytes are missing.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((head, body)) = rest.split_at_checked(HEADER) else { return Ok(None) };
        let &[a, b, c, d, number] = head else { return Ok(None) };
        let kind = Kind::from_number(number).ok_or(FrameError::UnknownKind(number))?;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let allowed = (self.allowed)(kind);
        if length > allowed {
            return Err(FrameError::TooLarge { kind, length, allowed });
        }
        let Some(payload) = body.get(..length) else { return Ok(None) };
        let frame = Frame::new(kind, payload.to_vec());
        self.start += HEADER + length;
        Ok(Some(frame))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind() -> impl Strategy<Value = Kind> {
        prop::sample::select(Kind::ALL)
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_end_in_frames_or_an_error(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut decoder = Decoder::new(|_| 64);
            let mut taken = 0;
            'pieces: for piece in &pieces {
                decoder.feed(piece);
                loop {
                    match decoder.next() {
                        Ok(Some(frame)) => taken += frame.encode().len(),
                        Ok(None) => break,
                        Err(_) => break 'pieces,
                    }
                }
            }
            prop_assert!(taken <= pieces.iter().map(Vec::len).sum::<usize>());
        }

        #[test]
        fn frames_survive_any_splitting(frames in prop::collection::vec((kind(), prop::collection::vec(any::<u8>(), 0..64)), 0..8), step in 1usize..50) {
            let frames: Vec<Frame> = frames.into_iter().map(|(kind, payload)| Frame::new(kind, payload)).collect();
            let wire: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
            let mut decoder = Decoder::new(|_| 64);
            let mut seen = Vec::new();
            for piece in wire.chunks(step) {
                decoder.feed(piece);
                while let Some(frame) = decoder.next().unwrap() {
                    seen.push(frame);
                }
            }
            prop_assert_eq!(seen, frames);
            prop_assert!(decoder.is_empty());
        }

        #[test]
        fn a_packet_is_one_frame_and_nothing_else(kind in kind(), payload in prop::collection::vec(any::<u8>(), 0..64), extra in 1usize..4) {
            let frame = Frame::new(kind, payload);
            let mut packet = frame.encode();
            prop_assert_eq!(Frame::from_packet(&packet), Ok(frame));
            packet.truncate(packet.len() - 1);
            prop_assert!(Frame::from_packet(&packet).is_err());
            packet.extend(vec![0; extra + 1]);
            prop_assert!(Frame::from_packet(&packet).is_err());
        }
    }

    #[test]
    fn a_length_that_the_kind_does_not_allow_is_refused_before_its_bytes_arrive() {
        let mut decoder = Decoder::new(|kind| if kind == Kind::Result { 10 } else { 5 });
        decoder.feed(&[0, 0, 0, 11, Kind::Result as u8]);
        assert_eq!(decoder.next(), Err(FrameError::TooLarge { kind: Kind::Result, length: 11, allowed: 10 }));
    }
}
