//! Texts for flags: right ones, wrong ones and such as lie on the edge, by the flag's type.

use super::Dice;

const TRUTH: [&str; 22] = [
    "true",
    "false",
    "1",
    "0",
    "t",
    "f",
    "T",
    "F",
    "True",
    "False",
    "TRUE",
    "FALSE", // read
    "yes",
    "no",
    "on",
    "off",
    "tRUE",
    "2",
    "",
    " true",
    "null",
    "truefalse",
];
const NUMBERS: [&str; 28] = [
    "0",
    "1",
    "7",
    "600",
    "+7",
    "0x10",
    "0X1f",
    "0b11",
    "0o17",
    "017",
    "0x_1f",
    "0_7", // read
    "1_000",
    "1e3",
    "600.0",
    "six",
    "",
    "10s",
    "09",
    "0x",
    "1__0",
    "0x1_",
    " 1",
    "-",
    "99999999999999999999",
    "-1",
    "2147483648",
    "4294967296",
];
const DURATIONS: [&str; 20] = [
    "30s", "1m30s", "1.5h", "100ms", "1h0m0.5s", "0", "0s", "2m", ".5m", "3µs", // read
    "30", "1d", "", "s", "1 s", "1m30", "10sec", "five", "-1s", "2562048h",
];
const FRACTIONS: [&str; 14] =
    ["0.01", "0.5", "1", "0", "2e-2", "0x1p-2", "-1", "1.5", "20", "", "half", "50%", "1,5", "inf"];
const TEXTS: [&str; 8] = ["x", "", "a,b", "none", "a=b", "/", "*", "1.30"];
const QUANTITIES: [&str; 6] = ["100Mi", "0", "1e3", "10MB", "", "ten"];
const ADDRESSES: [&str; 6] = ["127.0.0.1", "0.0.0.0", "::1", "localhost", "", "10.0.0.256"];
const PAIRS: [&str; 6] = ["a=1", "a=1,b=2", "a", "=", "", "a=b=c"];

/// A value for a flag of a type.
pub(super) fn of(type_name: &str, dice: &mut Dice) -> &'static str {
    let all: &[&str] = match type_name {
        "bool" => &TRUTH,
        "int" | "int32" | "int64" | "uint" | "uint32" | "uint64" | "Level" => &NUMBERS,
        "duration" => &DURATIONS,
        "float32" | "float64" => &FRACTIONS,
        "quantity" => &QUANTITIES,
        "ip" => &ADDRESSES,
        "int32Slice" | "intSlice" => &["1", "10,20", "0x10", "a", "", "1,,2"],
        "mapStringString" | "stringToString" | "mapStringBool" | "colonSeparatedMultimapStringString" => &PAIRS,
        _ => &TEXTS,
    };
    dice.one_of(all)
}

/// A value that most flags of a type take.
pub(super) fn good(type_name: &str, dice: &mut Dice) -> Option<&'static str> {
    let all: &[&str] = match type_name {
        "bool" => &TRUTH[..12],
        "int" | "int32" | "int64" | "uint" | "uint32" | "uint64" => &NUMBERS[1..12],
        "duration" => &DURATIONS[..5],
        "float32" | "float64" => &FRACTIONS[..2],
        "quantity" => &QUANTITIES[..1],
        _ => return None,
    };
    Some(dice.one_of(all))
}
