// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <sstream>

#include "extcap/doctor/report.h"
#include "extcap/doctor/scene.h"

namespace podshark::extcap::doctor {
namespace {

TEST(Folders, wireshark_4_0_has_its_personal_extcaps_below_the_configuration) {
  Wireshark ws;
  parse_folders(
      "Temp:                \t/tmp\n"
      "Personal configuration:\t/home/a/.config/wireshark\n"
      "Program:             \t/usr/bin\n"
      "Personal Plugins:    \t/home/a/.local/lib/wireshark/plugins/4.0\n"
      "Global Plugins:      \t/usr/lib/x86_64-linux-gnu/wireshark/plugins/4.0\n"
      "Extcap path:         \t/usr/lib/x86_64-linux-gnu/wireshark/extcap\n",
      ws);
  EXPECT_EQ(ws.personal_extcap_dir, "/home/a/.config/wireshark/extcap");
  EXPECT_EQ(ws.global_extcap_dir, "/usr/lib/x86_64-linux-gnu/wireshark/extcap");
  EXPECT_EQ(ws.personal_plugin_dir, "/home/a/.local/lib/wireshark/plugins/4.0");
  EXPECT_EQ(ws.global_plugin_dir, "/usr/lib/x86_64-linux-gnu/wireshark/plugins/4.0");
  EXPECT_EQ(ws.program_dir, "/usr/bin");
}

TEST(Folders, later_ones_name_both_extcap_directories) {
  Wireshark ws;
  parse_folders(
      "Personal configuration:\t/home/a/.config/wireshark\n"
      "Personal Extcap path:\t/home/a/.local/lib/wireshark/extcap\n"
      "Global Extcap path:  \t/usr/libexec/wireshark/extcap\n",
      ws);
  EXPECT_EQ(ws.personal_extcap_dir, "/home/a/.local/lib/wireshark/extcap");
  EXPECT_EQ(ws.global_extcap_dir, "/usr/libexec/wireshark/extcap");
}

TEST(Folders, garbage_leaves_everything_empty) {
  Wireshark ws;
  parse_folders("no colon here\n\n::::\n", ws);
  EXPECT_EQ(ws.global_extcap_dir, "");
  EXPECT_EQ(ws.personal_extcap_dir, "");
}

TEST(Plugins, only_podshark_so_counts) {
  const auto paths = parse_loaded_plugins(
      "ethercat.so     \t0.1.0\tdissector\t/usr/lib/ws/epan/ethercat.so\n"
      "podshark.so     \t0.1.0\tdissector\t/home/a/.local/lib/wireshark/plugins/4.0/epan/podshark.so\n");
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0], "/home/a/.local/lib/wireshark/plugins/4.0/epan/podshark.so");
}

TEST(Version, is_the_first_dotted_number) {
  EXPECT_EQ(parse_version("TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3)."), "4.0.17");
  EXPECT_EQ(parse_version("TShark (Wireshark) 4.6.9.\n\nCopyright 1998-2026"), "4.6.9");
  EXPECT_EQ(parse_version("podman version 5.4.2\n"), "5.4.2");
  EXPECT_EQ(parse_version("podman: cannot execute"), "");
}

TEST(Status, reads_no_new_privs_and_the_bounding_set) {
  Caller caller;
  parse_status("Name:\tx\nCapBnd:\t000001fffeffffff\nNoNewPrivs:\t1\n", caller);
  EXPECT_TRUE(caller.no_new_privs);
  EXPECT_EQ(caller.bounding, 0x1fffeffffffULL);
}

TEST(SubordinateIds, are_found_by_name_or_number_and_never_when_empty) {
  Caller caller;
  caller.name = "ann";
  caller.uid = 1000;
  EXPECT_TRUE(has_subordinate_range("bob:1:2\nann:100000:65536\n", caller));
  EXPECT_TRUE(has_subordinate_range("1000:100000:65536\n", caller));
  EXPECT_FALSE(has_subordinate_range("ann:100000:0\n", caller));
  EXPECT_FALSE(has_subordinate_range("annette:100000:65536\nann\nann:x:y\n", caller));
}

TEST(Profile, allows_user_namespaces_by_a_rule_and_not_by_a_comment) {
  EXPECT_TRUE(allows_user_namespaces("profile x { userns, }\n"));
  EXPECT_TRUE(allows_user_namespaces("  userns create,  # all\n"));
  EXPECT_FALSE(allows_user_namespaces("# userns,\nprofile x {}\n"));
}

TEST(SubordinateIds, the_free_ones_overlap_with_nobody_s) {
  EXPECT_EQ(free_subordinate_ids("", ""), 100000U);
  EXPECT_EQ(free_subordinate_ids("ann:100000:65536\n", ""), 165536U);
  EXPECT_EQ(free_subordinate_ids("bob:165536:65536\nann:100000:65536\n", "eve:231072:1\n"), 231073U);
  EXPECT_EQ(free_subordinate_ids("low:1:10\nann:165536:65536\n", ""), 100000U) << "a gap that is wide enough";
  EXPECT_EQ(free_subordinate_ids("ann:165535:65536\n", ""), 231071U) << "one that is not";
  EXPECT_EQ(free_subordinate_ids("ann:x:y\nann:100000\n", "\n"), 100000U);
  EXPECT_EQ(free_subordinate_ids("all:0:4294967294\n", ""), std::nullopt);
}

TEST(Report, says_what_to_do_and_counts) {
  std::ostringstream out;
  write_text({good("a", "fine"), warn("b", "so so", "do b"), fail("c", "bad", "do c")}, out);
  EXPECT_EQ(out.str(),
            "ok   a: fine\n"
            "warn b: so so\n     fix: do b\n"
            "fail c: bad\n     fix: do c\n"
            "1 ok, 1 warn, 1 fail\n");
}

TEST(Report, hostile_text_stays_on_its_line_and_in_its_json_string) {
  std::ostringstream text;
  write_text({good("a", "x\nfail b: y\x1b[31m")}, text);
  EXPECT_EQ(text.str().find('\x1b'), std::string::npos);
  EXPECT_EQ(text.str().find("\nfail"), std::string::npos);
  std::ostringstream json;
  write_json({good("a", "q\"\\\n\xff")}, json);
  EXPECT_NE(json.str().find("\"fact\":\"q\\\"\\\\ \xEF\xBF\xBD\""), std::string::npos) << json.str();
}

TEST(Report, only_fail_makes_it_fail) {
  EXPECT_FALSE(any_failure({good("a", "x"), warn("b", "y", "z")}));
  EXPECT_TRUE(any_failure({good("a", "x"), fail("b", "y", "z")}));
}

}  // namespace
}  // namespace podshark::extcap::doctor
