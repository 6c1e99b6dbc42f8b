// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "extcap/command.h"
#include "extcap/extcap.h"
#include "extcap/options.h"
#include "extcap/sentence.h"

namespace podshark::extcap {
namespace {

using testing::HasSubstr;

TEST(Sentence, values_are_escaped_and_empty_ones_left_out) {
  std::ostringstream out;
  out << Sentence("interface").with("value", "a}{b").with("display", "x\ny\xff").with("tooltip", "");
  EXPECT_EQ(out.str(), "interface {value=a)(b}{display=x y\xEF\xBF\xBD}\n");
}

TEST(Sentence, four_kilobytes_of_label_are_cut) {
  std::ostringstream out;
  out << Sentence("interface").with("value", std::string(4096, 'x'));
  EXPECT_LT(out.str().size(), 300U);
}

TEST(ExtcapArguments, pairs_equals_and_flags_in_any_order) {
  const std::vector<std::string> words{
      "--extcap-interface", "podman:web", "--capture", "--extcap-version=4.0", "--fifo", "/x",
      "--snaplen",          "96"};
  const ExtcapArguments args(words);
  EXPECT_TRUE(args.has("capture"));
  EXPECT_EQ(args.get("extcap-version"), "4.0");
  EXPECT_EQ(args.get("fifo"), "/x");
  EXPECT_EQ(args.get("snaplen"), "96");
  EXPECT_FALSE(args.has("nothing"));
}

TEST(RunExtcap, an_unknown_verb_fails_quickly_and_silently) {
  std::ostringstream out;
  std::ostringstream err;
  const std::vector<std::string> words{"--extcap-something-new", "x"};
  EXPECT_TRUE(is_extcap_call(words));
  EXPECT_NE(run_extcap(ExtcapArguments(words), out, err), 0);
  EXPECT_EQ(out.str() + err.str(), "");
}

TEST(RunExtcap, cleanup_after_a_kill_has_nothing_to_do) {
  std::ostringstream out;
  const std::vector<std::string> words{"--extcap-cleanup-postkill"};
  EXPECT_EQ(run_extcap(ExtcapArguments(words), out, out), 0);
  EXPECT_EQ(out.str(), "");
}

TEST(Config, nothing_is_required_and_defaults_are_stated) {
  std::ostringstream out;
  EXPECT_EQ(verb_config("podman:web", out), 0);
  EXPECT_EQ(out.str().find("required"), std::string::npos);
  EXPECT_EQ(out.str().find("password"), std::string::npos);
  EXPECT_EQ(out.str().find("editselector"), std::string::npos);  // 4.0 prints an error for it
  EXPECT_THAT(out.str(), HasSubstr("{call=--snaplen}{display=Bytes per packet}{type=unsigned}"));
  std::ostringstream choose;
  EXPECT_EQ(verb_config("podman:choose", choose), 0);
  EXPECT_THAT(choose.str(), HasSubstr("{call=--container}"));
}

TEST(CheckFilter, silence_means_good_and_text_is_libpcaps) {
  std::ostringstream good;
  EXPECT_EQ(verb_check_filter("tcp port 80", good), 0);
  EXPECT_EQ(good.str(), "");
  std::ostringstream bad;
  EXPECT_EQ(verb_check_filter("tcp prot 80", bad), 0);
  EXPECT_THAT(bad.str(), HasSubstr("syntax error"));
}

TEST(CaptureHelp, says_what_a_target_may_be) {
  std::ostringstream out;
  std::ostringstream err;
  const std::vector<std::string> words{"--help"};
  EXPECT_EQ(cmd_capture(words, out, err), 0);
  for (const char* form : {"pod/", "net/", "all ", "'web*'", "label=", "ssh://", "podman://", "kube://"})
    EXPECT_THAT(out.str(), ::testing::HasSubstr(form));
}

class LinkOptionsTest : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(LinkOptionsTest, wrong_values_are_refused_by_name) {
  SessionOptions options;
  const std::string name = GetParam().first;
  const std::string value = GetParam().second;
  const Status s = read_link_options(
      [&](const std::string& n) -> std::optional<std::string> {
        if (n == name) return value;
        return std::nullopt;
      },
      options);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::usage);
  EXPECT_THAT(s.error().what, HasSubstr(name));
}

INSTANTIATE_TEST_SUITE_P(Bad, LinkOptionsTest,
                         testing::Values(std::pair{"snaplen", "0"}, std::pair{"snaplen", "262145"},
                                         std::pair{"snaplen", "-1"}, std::pair{"snaplen", "many"},
                                         std::pair{"ring-size", "0"}, std::pair{"ring-size", "99999"},
                                         std::pair{"queue-size", "1e3"}, std::pair{"promiscuous", "maybe"},
                                         std::pair{"method", "ssh"}, std::pair{"method", "sidecar"},
                                         std::pair{"sidecar-image", "--privileged"},
                                         std::pair{"install-tool", "yes"}, std::pair{"all-host", "1"}));

TEST(LinkOptionsRead, what_wireshark_passes_is_taken) {
  SessionOptions options;
  ASSERT_TRUE(read_link_options(
      [](const std::string& n) -> std::optional<std::string> {
        if (n == "link") return "eth0, lo";
        if (n == "snaplen") return "96";
        if (n == "promiscuous") return "false";
        return std::nullopt;
      },
      options));
  EXPECT_THAT(options.link.links, testing::ElementsAre("eth0", "lo"));
  EXPECT_EQ(options.link.snaplen, 96U);
  EXPECT_FALSE(options.link.promiscuous);
}

TEST(LinkOptionsRead, a_switch_is_a_bare_word_or_true) {
  const auto read = [](const char* install) {
    SessionOptions options;
    EXPECT_TRUE(read_link_options(
        [&](const std::string& n) -> std::optional<std::string> {
          if (n == "install-tool" && install != nullptr) return install;
          return std::nullopt;
        },
        options));
    return options.roster.methods.install_tool;
  };
  EXPECT_FALSE(read(nullptr));
  EXPECT_TRUE(read(""));
  EXPECT_TRUE(read("true"));
  EXPECT_FALSE(read("false"));
}

}  // namespace
}  // namespace podshark::extcap
