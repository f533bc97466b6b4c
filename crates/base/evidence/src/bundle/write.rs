//! Writing a bundle, line by line in the order that the form asks for.

use std::io::{Result, Write};

use merkle::Hash;
use types::OrgId;

use super::MAGIC;

pub struct BundleWriter<W> {
    out: W,
    lines: u64,
}

impl<W: Write> BundleWriter<W> {
    /// `first`: number of the first record in the organization's own order.
    pub fn new(out: W, org: OrgId, first: u64) -> Result<Self> {
        let mut writer = Self { out, lines: 0 };
        writer.line(MAGIC.as_bytes(), b"")?;
        writer.line(b"org ", org.to_string().as_bytes())?;
        writer.line(b"first ", first.to_string().as_bytes())?;
        Ok(writer)
    }

    /// Without its private part the record is a stub that still proves what it shows.
    pub fn record(&mut self, seq: u64, clear: &[u8], private: Option<&[u8]>) -> Result<()> {
        self.line(format!("record {seq} ").as_bytes(), clear)?;
        private.map_or(Ok(()), |private| self.line(b"private ", private))
    }

    pub fn erased(&mut self, seq: u64, entry: &Hash) -> Result<()> {
        self.line(format!("erased {seq} ").as_bytes(), hex::encode(entry).as_bytes())
    }

    /// A purge record outside the run, which explains what was erased inside.
    pub fn purge(&mut self, seq: u64, clear: &[u8], private: &[u8]) -> Result<()> {
        self.line(format!("purge {seq} ").as_bytes(), clear)?;
        self.line(b"private ", private)
    }

    pub fn proof(&mut self, nodes: &[Hash]) -> Result<()> {
        nodes.iter().try_for_each(|node| self.line(b"node ", hex::encode(node).as_bytes()))
    }

    pub fn checkpoint(&mut self, note: &str) -> Result<()> {
        self.line(b"checkpoint ", serde_json::Value::from(note).to_string().as_bytes())
    }

    /// An earlier checkpoint with the consistency proof from it to the one before.
    pub fn earlier(&mut self, note: &str, proof: &[Hash]) -> Result<()> {
        self.line(b"earlier ", serde_json::Value::from(note).to_string().as_bytes())?;
        proof.iter().try_for_each(|node| self.line(b"grown ", hex::encode(node).as_bytes()))
    }

    /// What was written so far, for whoever hands it on in pieces.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    pub fn finish(mut self) -> Result<W> {
        let lines = self.lines.to_string();
        self.line(b"end ", lines.as_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, word: &[u8], content: &[u8]) -> Result<()> {
        self.lines += 1;
        self.out.write_all(word)?;
        self.out.write_all(content)?;
        self.out.write_all(b"\n")
    }
}
