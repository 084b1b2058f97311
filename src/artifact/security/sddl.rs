//! SDDL: security descriptors as Windows writes them in text ([MS-DTYP] 2.5.1).

use super::SecurityDescriptor;
use crate::artifact::Problem;

impl SecurityDescriptor {
    /// Owner, group and DACL as `ConvertSecurityDescriptorToStringSecurityDescriptor` prints them: `O:BAG:SYD:P(A;OICI;KA;;;NS)…`
    pub fn to_sddl(&self) -> String {
        String::new()
    }

    /// The DACL part alone: `D:P(A;OICI;KA;;;NS)…`
    pub fn dacl_sddl(&self) -> String {
        String::new()
    }

    /// Reads SDDL text.
    ///
    /// # Errors
    /// The text is not SDDL; the problem says what was expected where.
    pub fn from_sddl(_text: &str) -> Result<Self, Problem> {
        Err(Problem::new(crate::artifact::Place::Whole, "SDDL", "something else"))
    }
}
