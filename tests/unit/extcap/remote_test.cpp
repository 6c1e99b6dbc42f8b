// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <csignal>
#include <cstdlib>

#include "extcap/capture/method.h"
#include "extcap/remote/far_host.h"
#include "extcap/remote/far_run.h"
#include "extcap/remote/far_script.h"
#include "podman/core/process.h"

namespace podshark::extcap::remote {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(FarHost, is_a_name_an_address_or_a_uri) {
  const auto destination = [](const char* text) { return parse_host(text)->destination; };
  EXPECT_EQ("server", destination("server"));
  EXPECT_EQ("me@server", destination("me@server"));
  EXPECT_EQ("ssh://me@server:2222", destination("me@server:2222"));
  EXPECT_EQ("ssh://me@server:2222", destination("ssh://me@server:2222"));
  EXPECT_EQ("ssh://[fd00::1]:22", destination("[fd00::1]:22"));
  EXPECT_EQ("me@server:2222", parse_host("ssh://me@server:2222")->name);
  for (const char* wrong : {"", "-oProxyCommand=id", "me@-x", "me@you@-x", "me@-you@x", "@", ":22", "me@:22",
                            "a b", "a;id", "a`id`", "ssh://", "a/b", "a'"})
    EXPECT_FALSE(parse_host(wrong)) << wrong;
}

TEST(FarHost, of_a_dialog) {
  const auto full = host_of({"server", "2222", "me", "/home/me/key", "me@gate:22,other"});
  ASSERT_TRUE(full);
  EXPECT_EQ("ssh://me@server:2222", full->destination);
  EXPECT_THAT(full->options, ElementsAre("-i", "/home/me/key", "-J", "me@gate:22,other"));
  EXPECT_EQ("ssh://[fd00::1]:2222", host_of({"fd00::1", "2222", "", "", ""})->destination);
  for (const char* port : {"0", "65536", "-1", "22@evil", "ssh"})
    EXPECT_FALSE(host_of({"server", port, "", "", ""})) << port;
  EXPECT_FALSE(host_of({"", "22", "me", "", ""}));
  EXPECT_EQ("server", host_of({" server ", "", "", "", ""})->destination);
  EXPECT_FALSE(host_of({"server", "", "", "", "-oProxyCommand=id"}));
  EXPECT_FALSE(host_of({"server", "22 -x", "", "", ""}));
}

TEST(FarTarget, needs_a_container) {
  const auto target = parse_far_target("ssh://me@server/pod/shop");
  ASSERT_TRUE(target);
  EXPECT_EQ("ssh://me@server", target->host.destination);
  EXPECT_EQ("pod/shop", target->target);
  for (const char* wrong : {"web", "ssh://server", "ssh://server/", "ssh:///web", "ssh://-x/web"})
    EXPECT_FALSE(parse_far_target(wrong)) << wrong;
}

TEST(TakeHost, takes_it_out_of_the_words) {
  for (std::vector<std::string> words : {std::vector<std::string>{"list", "--host", "server", "--json"},
                                         {"list", "--host=server", "--json"}}) {
    const auto host = take_host(words);
    ASSERT_TRUE(host && *host);
    EXPECT_EQ("server", (*host)->destination);
    EXPECT_THAT(words, ElementsAre("list", "--json"));
  }
  std::vector<std::string> none{"list", "--", "--host"};
  EXPECT_FALSE(*take_host(none));
  std::vector<std::string> empty{"list", "--host"};
  EXPECT_FALSE(take_host(empty));
}

TEST(TakeOutput, the_file_of_an_inventory_is_here) {
  using Words = std::vector<std::string>;
  for (const Words& given : {Words{"-o", "f"}, Words{"-of"}, Words{"--output", "f"}, Words{"--output=f"},
                             Words{"-o", "g", "-o", "f"}}) {
    Words words{"inventory", "--redact"};
    words.insert(words.end(), given.begin(), given.end());
    EXPECT_EQ(take_output(words), "f") << given.front();
    EXPECT_EQ(words, (Words{"inventory", "--redact"})) << given.front();
  }
  Words standard{"inventory", "-o", "-"};
  EXPECT_EQ(take_output(standard), "");
  Words lacking{"inventory", "-o"};
  EXPECT_EQ(take_output(lacking), "");
  EXPECT_EQ(lacking, (Words{"inventory", "-o"}));
}

TEST(TakeSource, leaves_the_container) {
  for (std::vector<std::string> words :
       {std::vector<std::string>{"probe", "--from", "ssh://server/web", "db:80"},
        {"probe", "--from=ssh://server/web", "db:80"}}) {
    const auto host = take_source(words);
    ASSERT_TRUE(host && *host);
    EXPECT_EQ("ssh://server", (*host)->destination);
    EXPECT_EQ("web", words[1].starts_with("--from=") ? words[1].substr(7) : words[2]);
  }
  for (std::vector<std::string> words : {std::vector<std::string>{"probe", "--from", "ssh://server", "db:80"},
                                         {"probe", "--from", "web", "db:80"},
                                         {"probe", "--from"}}) {
    const std::vector<std::string> before = words;
    EXPECT_FALSE(*take_source(words));
    EXPECT_EQ(before, words);
  }
}

TEST(FarCommand, hides_nothing_from_ssh_and_everything_from_the_login_shell) {
  const std::vector<std::string> argv =
      ssh_line({"ssh://server", "server", {"-J", "gate"}}, podshark_script({"list"})).argv;
  EXPECT_EQ("ssh", argv.front());
  EXPECT_THAT(argv, Contains("BatchMode=yes"));
  EXPECT_EQ("ssh://server", argv[argv.size() - 2]);
  EXPECT_EQ("--", argv[argv.size() - 3]);
  EXPECT_EQ("gate", argv[argv.size() - 4]);
  for (const std::string& word : argv)
    EXPECT_EQ(std::string::npos, word.find("StrictHostKeyChecking")) << word;
  const std::string& command = argv.back();
  EXPECT_EQ(2, std::count(command.begin(), command.end(), '\''));
  EXPECT_EQ(std::string::npos, command.find('!'));
}

TEST(FarCommand, lets_ssh_ask_only_by_its_program) {
  EXPECT_THAT(ssh_command({"server", "server"}, "true", Asking::by_program),
              testing::Not(Contains("BatchMode=yes")));
}

// Runs the far side's command with a podshark that prints its words, in a login shell of this machine. The
// end of the lease signals a whole process group: it has one of its own. The lease lasts as long as that
// shell, however slowly it starts.
Result<podshark::Output> run_far(const std::string& shell, const std::vector<std::string>& words) {
  const std::string fake =
      "T=$(mktemp -d); printf '#!/bin/sh\nfor w; do echo \"<$w>\"; done\nexit 3\n' >$T/podshark; "
      "chmod 755 $T/podshark; PATH=$T:$PATH; export PATH; ";
  return podshark::run({"sh", "-c",
                        fake + "while [ ! -e $T/over ] && echo .; do sleep 0.1; done | { setsid -w " + shell +
                            " -c \"$FAR\"; c=$?; >$T/over; exit $c; }; c=$?; rm -r $T; exit $c"},
                       std::chrono::seconds(60), 65536,
                       {"FAR=" + ssh_line({"server", "server"}, podshark_script(words)).argv.back()});
}

TEST(FarCommand, passes_words_on_whatever_is_in_them_and_whatever_the_login_shell) {
  for (const char* shell : {"sh", "bash", "csh"}) {
    const auto done =
        run_far(shell, {"capture", "a b", "it's", "$(id)", "tcp port 80 and not (host 1.2.3.4)", "!", ""});
    ASSERT_TRUE(done) << shell << ": " << done.error().line();
    EXPECT_EQ(3, done->exit_code) << shell << ": " << done->out;
    EXPECT_EQ("\n" + std::string(kMarker) +
                  "\n<capture>\n<a b>\n<it's>\n<$(id)>\n<tcp port 80 and not (host 1.2.3.4)>\n<!>\n<>\n",
              done->out)
        << shell;
  }
}

TEST(FarCommand, tells_podshark_there_what_carries_it) {
  const std::string print = "echo \"$PODSHARK_CARRIER\"";
  const auto carrier = [&] {
    const auto done =
        podshark::run({"sh", "-c", ssh_line({"server", "server"}, print).argv.back()},
                      std::chrono::seconds(15), 65536, {"SSH_CONNECTION=192.0.2.1 40000 192.0.2.2 22"});
    return done ? done->out : done.error().line();
  };
  EXPECT_EQ("192.0.2.1 40000 192.0.2.2 22\n", carrier());
  ASSERT_EQ(0, ::setenv(kOneOfSeveral, "1", 1));
  EXPECT_EQ("192.0.2.1 40000 192.0.2.2 22 any-port\n", carrier());
  ASSERT_EQ(0, ::unsetenv(kOneOfSeveral));
}

// A script in a shell of this machine, in a process group of its own, with `stdin` (sh) on its stdin.
Result<podshark::Output> run_leased(const std::string& stdin_command, const std::string& script) {
  return podshark::run({"sh", "-c", stdin_command + " | setsid -w sh -c \"$SCRIPT\""},
                       std::chrono::seconds(15), 65536, {"SCRIPT=" + script});
}

TEST(Lease, of_stdin_ends_at_the_end_of_file_with_what_was_written) {
  const auto done =
      run_leased("{ printf .; sleep 1; }",
                 leased_stdin("sh -c 'echo one; cat >/dev/null; echo two; exit 7'", Answers::no));
  ASSERT_TRUE(done);
  EXPECT_EQ(7, done->exit_code);
  EXPECT_EQ("\n" + std::string(kMarker) + "\none\ntwo\n", done->out);
}

// How many seconds the script takes, as it prints them itself.
std::string timed(const std::string& script) {
  return "trap : TERM; s=$(date +%s); (" + script + ") 2>&1; c=$?; echo took $(($(date +%s) - s)) code $c";
}

TEST(Lease, of_stdin_does_not_wait_for_beats_when_the_command_is_first) {
  const auto told = run_leased("{ printf .; sleep 4; }", timed(leased_stdin("sh -c 'exit 97'", Answers::no)));
  ASSERT_TRUE(told);
  EXPECT_THAT(told->out, testing::ContainsRegex("took [01] code 97"));
}

TEST(Lease, of_stdin_ends_without_beats) {
  const auto done = run_leased("{ printf .; sleep 9; }", timed(leased_stdin("cat", Answers::no)));
  ASSERT_TRUE(done);
  EXPECT_THAT(done->out, testing::ContainsRegex("podshark-unheard\ntook [678] code 0"));
}

TEST(Lease, answers_each_beat_on_stderr_and_ends_with_its_command) {
  for (const bool group : {true, false}) {
    const std::string command = "sh -c 'sleep 0.5; echo done; exit 7'";
    const auto done =
        run_leased("{ printf .; sleep 4; }",
                   timed(group ? leased_group(command, Answers::yes) : leased_stdin(command, Answers::yes)));
    ASSERT_TRUE(done);
    EXPECT_THAT(done->out, testing::ContainsRegex(std::string(kAlive) + "\n"));
    EXPECT_THAT(done->out, testing::ContainsRegex("done\ntook [01] code 7"));
  }
}

TEST(Lease, of_a_group_ends_it_at_the_end_of_file_and_waits_for_what_it_still_says) {
  const auto done = run_leased(
      "{ printf .; sleep 1; }",
      leased_group("sh -c 'trap \"echo told; exit 3\" TERM; sleep 9 & wait'", Answers::yes) + " 2>/dev/null");
  ASSERT_TRUE(done);
  EXPECT_EQ(3, done->exit_code);
  EXPECT_THAT(done->out, HasSubstr("told\n"));
}

TEST(Lease, of_a_group_tells_that_its_command_was_killed) {
  const auto done = run_leased("{ printf .; sleep 4; }", leased_group("sh -c 'kill -KILL $$'", Answers::no));
  ASSERT_TRUE(done);
  EXPECT_EQ(128 + SIGKILL, done->exit_code);
}

TEST(SshError, names_the_cause_behind_a_jump_host) {
  const FarHost host{"server", "server"};
  const Error dead = ssh_error(host,
                               "ssh: connect to host gate port 22: Connection refused\n"
                               "kex_exchange_identification: Connection closed by remote host\n");
  EXPECT_NE(std::string::npos, dead.line().find("connect to host gate port 22: Connection refused"));
  EXPECT_FALSE(refused_for_now(dead));
  const Error refused = ssh_error(host,
                                  "me@gate: Permission denied (publickey).\n"
                                  "Connection closed by UNKNOWN port 65535\n");
  EXPECT_EQ(ErrorKind::permission, refused.kind);
  EXPECT_NE(std::string::npos, refused.what.find("me@gate: Permission denied"));
  EXPECT_TRUE(
      refused_for_now(ssh_error(host, "kex_exchange_identification: Connection closed by remote host\n")));
}

TEST(SshError, says_what_to_do) {
  const FarHost host{"server", "server"};
  EXPECT_EQ(ErrorKind::permission, ssh_error(host, "Host key verification failed.\n").kind);
  EXPECT_EQ(ErrorKind::permission, ssh_error(host, "me@server: Permission denied (publickey).\n").kind);
  const Error refused = ssh_error(host, "ssh: connect to host server port 22: Connection refused\n");
  EXPECT_EQ(ErrorKind::unreachable, refused.kind);
  EXPECT_NE(std::string::npos, refused.line().find("Connection refused"));
}

}  // namespace
}  // namespace podshark::extcap::remote
