// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/text.h"

#include <gtest/gtest.h>

namespace podshark {
namespace {

TEST(OneLine, keeps_plain_text) {
  EXPECT_EQ(one_line("web \u2192 8080", 100), "web \u2192 8080");
}

TEST(OneLine, control_characters_become_spaces) {
  EXPECT_EQ(one_line("a\nb\tc\x1b[31m\x7f", 100), "a b c [31m ");
  EXPECT_EQ(one_line(std::string("a\0b", 3), 100), "a b");
  EXPECT_EQ(one_line("c1 \xC2\x9B end", 100), "c1   end");
}

TEST(OneLine, bidi_overrides_and_line_separators_become_spaces) {
  EXPECT_EQ(one_line("\u202egnp.exe\u2028next\u2066x", 100), " gnp.exe next x");
}

TEST(OneLine, invalid_utf8_becomes_the_replacement_character) {
  EXPECT_EQ(one_line("a\xFFz", 100), "a\uFFFDz");
  EXPECT_EQ(one_line("\xC0\x80", 100), "\uFFFD\uFFFD");            // not the shortest form
  EXPECT_EQ(one_line("\xED\xA0\x80", 100), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(one_line("cut\xE2\x86", 100), "cut\uFFFD\uFFFD");
}

TEST(OneLine, cuts_on_a_character_boundary_within_the_limit) {
  EXPECT_EQ(one_line("abcdef", 6), "abcdef");
  EXPECT_EQ(one_line("abcdefg", 6), "abc\u2026");
  EXPECT_EQ(one_line("\u20ac\u20ac\u20ac", 8), "\u20ac\u2026");
  EXPECT_EQ(one_line("abcdef", 2), "");  // no room for the sign that something was cut
  for (std::size_t limit = 0; limit < 40; ++limit) {
    const std::string cut = one_line("x\u00e9\u20ac\U0001F41F y\xFF z and some more text behind", limit);
    EXPECT_LE(cut.size(), limit);
    EXPECT_EQ(one_line(cut, limit), cut) << limit;
  }
}

TEST(Fnv1a, known_values) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
}

TEST(Hex, has_exactly_the_digits_asked_for) {
  EXPECT_EQ(hex(0xAB, 4), "00ab");
  EXPECT_EQ(hex(0x123456, 4), "3456");
  EXPECT_EQ(hex(~0ULL, 16), "ffffffffffffffff");
}

TEST(EscapeControls, del_c1_and_what_turns_a_line_around_are_escaped) {
  EXPECT_EQ(escape_controls("\"a\x7F\xC2\x80\xC2\x9B\xC2\x9F\u202e\u2028\u200b\ufeffz\""),
            R"("a\u007f\u0080\u009b\u009f\u202e\u2028\u200b\ufeffz")");
}

TEST(EscapeControls, everything_else_stays) {
  for (const char* json :
       {"", "{}", "\"\u00a0\u00e9\u2026\u20ac\ufffd\U0001F41F ~\"", R"("\\u007f")", "\xC2"})
    EXPECT_EQ(escape_controls(json), json);
}

TEST(JsonString, quotes_and_control_characters_can_not_end_it) {
  EXPECT_EQ(json_string("a\"b\\c\nd\x01\xff", 80), "\"a\\\"b\\\\c d \xEF\xBF\xBD\"");
  EXPECT_EQ(json_string("", 80), "\"\"");
  EXPECT_EQ(json_string("abcdef", 5), "\"ab\xE2\x80\xA6\"");
}

TEST(Split, keeps_empty_pieces) {
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
}

TEST(Trim, removes_blanks_at_both_ends_only) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(ParseNumber, accepts_only_a_whole_decimal_in_range) {
  std::uint64_t value = 7;
  for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "101", "99999999999999999999999"}) {
    EXPECT_FALSE(parse_number(bad, 100, value)) << bad;
    EXPECT_EQ(value, 7U);
  }
  EXPECT_TRUE(parse_number("100", 100, value));
  EXPECT_EQ(value, 100U);
  EXPECT_TRUE(parse_number("18446744073709551615", ~0ULL, value));
  EXPECT_EQ(value, ~0ULL);
}

}  // namespace
}  // namespace podshark
