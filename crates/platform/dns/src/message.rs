//! Questions and answers as bytes. An answer counts only if it answers what was asked.

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, Question, RCODE, TYPE};

use crate::DnsError;

/// Records beyond these are nobody's proof of a domain.
const MOST: usize = 64;

pub(crate) fn question(id: u16, name: &str) -> Result<Vec<u8>, DnsError> {
    let unfit = |_| DnsError::Name(name.to_owned());
    let qname = Name::new(name).map_err(unfit)?;
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(qname, TYPE::TXT.into(), CLASS::IN.into(), false));
    packet.build_bytes_vec().map_err(unfit)
}

pub(crate) enum Answer {
    Texts(Vec<String>),
    /// Cut short: ask again over TCP.
    Truncated,
    /// To another question, or none at all: wait on.
    Foreign,
}

pub(crate) fn answer(bytes: &[u8], id: u16, name: &str) -> Result<Answer, DnsError> {
    let Ok(packet) = Packet::parse(bytes) else { return Ok(Answer::Foreign) };
    let asked = Name::new(name).map_err(|_| DnsError::Name(name.to_owned()))?;
    let echoes =
        packet.questions.len() == 1 && packet.questions.iter().all(|question| question.qname == asked);
    if packet.id() != id || !packet.has_flags(PacketFlag::RESPONSE) || !echoes {
        return Ok(Answer::Foreign);
    }
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Ok(Answer::Texts(Vec::new())),
        other => return Err(DnsError::Refused(format!("{other:?}"))),
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Ok(Answer::Truncated);
    }
    let texts = packet.answers.into_iter().filter_map(|record| match record.rdata {
        // An alias leads to another name's records, which the resolver sends along.
        RData::TXT(text) => String::try_from(text).ok(),
        _ => None,
    });
    Ok(Answer::Texts(texts.take(MOST).collect()))
}

#[cfg(test)]
mod tests {
    use simple_dns::ResourceRecord;
    use simple_dns::rdata::TXT;

    use super::*;

    fn reply(id: u16, name: &str, flags: PacketFlag, texts: &[&str]) -> Vec<u8> {
        let mut packet = Packet::new_reply(id);
        packet.set_flags(flags);
        let name = Name::new(name).unwrap();
        packet.questions.push(Question::new(name.clone(), TYPE::TXT.into(), CLASS::IN.into(), false));
        for text in texts {
            let text = TXT::new().with_string(text).unwrap();
            packet.answers.push(ResourceRecord::new(name.clone(), CLASS::IN, 60, RData::TXT(text)));
        }
        packet.build_bytes_vec().unwrap()
    }

    fn texts(bytes: &[u8]) -> Option<Vec<String>> {
        match answer(bytes, 7, "_x.example.com").unwrap() {
            Answer::Texts(texts) => Some(texts),
            Answer::Truncated | Answer::Foreign => None,
        }
    }

    #[test]
    fn only_an_answer_to_the_question_counts() {
        let none = PacketFlag::empty();
        assert_eq!(texts(&reply(7, "_x.example.com", none, &["one", "two"])).unwrap(), ["one", "two"]);
        assert_eq!(texts(&reply(7, "_X.Example.COM", none, &["one"])).unwrap(), ["one"]);
        assert_eq!(texts(&reply(8, "_x.example.com", none, &["one"])), None);
        assert_eq!(texts(&reply(7, "_x.example.org", none, &["one"])), None);
        assert_eq!(texts(&question(7, "_x.example.com").unwrap()), None);
        assert_eq!(texts(b"no message"), None);
        let short = reply(7, "_x.example.com", PacketFlag::TRUNCATION, &["one"]);
        assert!(matches!(answer(&short, 7, "_x.example.com"), Ok(Answer::Truncated)));
    }

    #[test]
    fn names_that_are_none_are_not_asked_for() {
        assert!(question(1, &"x".repeat(64)).is_err());
        assert!(question(1, &format!("{}com", "abcdefgh.".repeat(40))).is_err());
    }
}
