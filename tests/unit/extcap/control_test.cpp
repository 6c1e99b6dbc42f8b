// SPDX-License-Identifier: GPL-2.0-or-later
// The toolbar: its messages, its sentences, and the keeper of its pipes with this test in Wireshark's place.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <random>
#include <sstream>

#include "extcap/capture/panel.h"
#include "extcap/control/control.h"
#include "extcap/control/keeper.h"
#include "extcap/control/message.h"
#include "extcap/control/toolbar.h"
#include "tests/unit/temp_tree.h"

namespace podshark::extcap {
namespace {

using namespace std::string_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr int kLong = 20000;  // ms; events, not time, end the waits

std::uint8_t number(ToolbarControl control) {
  return static_cast<std::uint8_t>(control);
}

std::string set(ToolbarControl control, const std::string& payload) {
  return encode({number(control), ControlVerb::set, payload});
}

const std::string kInitialized = encode({0, ControlVerb::initialized, ""});

// ---- messages -----------------------------------------------------------------------------------------

TEST(ControlMessage, bytes_are_those_of_the_protocol) {
  EXPECT_EQ(encode({3, ControlVerb::add, "hi"}), std::string("T\0\0\4\3\2hi", 8));
  EXPECT_EQ(kInitialized, std::string("T\0\0\2\0\0", 6));
}

TEST(ControlMessage, a_long_payload_is_cut_to_what_wireshark_takes) {
  const std::string bytes = encode({1, ControlVerb::set, std::string(70000, 'x')});
  EXPECT_EQ(bytes.size(), kControlHeader + kMaxControlPayload);
  EXPECT_EQ(bytes.substr(0, 4), std::string("T\1\0\1", 4));
}

TEST(ControlDecoder, messages_come_out_however_the_stream_is_cut) {
  const std::string stream = kInitialized + set(ToolbarControl::mark, "one") +
                             encode({200, static_cast<ControlVerb>(77), std::string(65535, 'y')}) +
                             set(ToolbarControl::pause, std::string(1, '\1'));
  for (const std::size_t piece : {1U, 5U, 6U, 7U, 1000U, 100000U}) {
    ControlDecoder decoder;
    std::vector<ControlMessage> got;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      decoder.feed(std::string_view(stream).substr(at, piece));
      while (auto m = decoder.next()) got.push_back(std::move(*m));
    }
    ASSERT_EQ(got.size(), 4U) << piece;
    EXPECT_EQ(got[0].verb, ControlVerb::initialized);
    EXPECT_EQ(got[1].payload, "one");
    EXPECT_EQ(got[2].control, 200);
    EXPECT_EQ(got[2].payload.size(), 65535U);
    EXPECT_EQ(got[3].payload, std::string(1, '\1'));
    EXPECT_FALSE(decoder.broken());
  }
}

TEST(ControlDecoder, nonsense_breaks_it_for_good_and_is_not_kept) {
  const std::vector<std::string> bad{"X\0\0\2\0\0"s, "T\0\0\1\0\0"s, "T\0\0\0\0\0"s, "T\1\0\2\0\0"s,
                                     "T\xff\xff\xff\0\0"s};
  for (const std::string& bytes : bad) {
    ControlDecoder decoder;
    decoder.feed(bytes);
    EXPECT_FALSE(decoder.next());
    EXPECT_TRUE(decoder.broken());
    decoder.feed(kInitialized);
    EXPECT_FALSE(decoder.next());
  }
}

TEST(ControlDecoder, random_bytes_do_no_harm) {
  std::mt19937 random(7);  // NOLINT: the same bytes each time
  for (int round = 0; round < 2000; ++round) {
    ControlDecoder decoder;
    std::string bytes = round % 2 == 0 ? "T" : set(ToolbarControl::mark, "text");
    for (unsigned i = 0; i < random() % 64; ++i) bytes += static_cast<char>(random());
    if (bytes.size() > 3) bytes[1 + random() % 3] = static_cast<char>(random() % 3);
    decoder.feed(bytes);
    while (const auto m = decoder.next()) EXPECT_LE(m->payload.size(), bytes.size());
  }
}

// ---- sentences ----------------------------------------------------------------------------------------

TEST(Toolbar, is_for_wireshark_4_4_and_later_unless_the_user_decides) {
  for (const char* version : {"4.4", "4.6", "4.10", "5.0", "10.2"})
    EXPECT_TRUE(toolbar_wanted(version, "")) << version;
  for (const char* version : {"4.0", "4.2", "4.3", "3.9", "", "4", "x.y", "4.", "-4.4", "4.4444444444444"})
    EXPECT_FALSE(toolbar_wanted(version, "")) << version;
  EXPECT_TRUE(toolbar_wanted("4.0", "on"));
  EXPECT_FALSE(toolbar_wanted("4.6", "off"));
  EXPECT_TRUE(toolbar_wanted("4.6", "nonsense"));
}

TEST(Toolbar, sentences_number_each_control_once_and_nothing_is_required) {
  std::ostringstream out;
  write_toolbar(out);
  for (int n = 0; n <= 7; ++n)
    EXPECT_THAT(out.str(), HasSubstr("control {number=" + std::to_string(n) + "}"));
  EXPECT_THAT(out.str(), HasSubstr("{type=button}{role=logger}"));
  EXPECT_THAT(out.str(), HasSubstr("{type=button}{role=help}"));
  EXPECT_THAT(out.str(), Not(HasSubstr("required")));
}

// ---- keeper and control -------------------------------------------------------------------------------

// This process is Wireshark; a child is the capturing program and its child the keeper.
class Pipes : public testing::Test {
 protected:
  Pipes() : in(tree.path() + "/in"), out(tree.path() + "/out"), fifo(tree.path() + "/fifo") {
    for (const std::string& path : {in, out, fifo}) EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  }
  ~Pipes() override {
    (void)open_in();  // and let go: so the keeper may end
    if (program > 0) {
      (void)::kill(program, SIGKILL);
      (void)::waitpid(program, nullptr, 0);
    }
  }

  // Starts `work` in a program whose toolbar is open, and returns when it is.
  void start(const std::function<void(Control&)>& work) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    program = ::fork();
    ASSERT_GE(program, 0);
    if (program == 0) {
      (void)::signal(SIGPIPE, SIG_IGN);
      Result<Control> control = Control::open(in, out, fifo);
      (void)!::write(ready[1], "r", 1);
      if (control) work(*control);
      ::_exit(0);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
  }
  void wait_for_program() {
    EXPECT_EQ(::waitpid(program, nullptr, 0), program);
    program = -1;
  }

  // What Wireshark's main thread does; it would hang where this fails.
  [[nodiscard]] UniqueFd open_in() const { return UniqueFd(::open(in.c_str(), O_WRONLY | O_NONBLOCK)); }
  [[nodiscard]] UniqueFd open_out() const { return UniqueFd(::open(out.c_str(), O_RDONLY | O_NONBLOCK)); }
  static void write(const UniqueFd& fd, const std::string& bytes) {
    EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // Messages until one whose payload contains `last`, or (with "") until the keeper has closed the pipe.
  static std::vector<ControlMessage> read_until(const UniqueFd& fd, const std::string& last) {
    ControlDecoder decoder;
    std::vector<ControlMessage> got;
    std::array<char, 65536> bytes{};
    pollfd p{fd.get(), POLLIN, 0};
    while (::poll(&p, 1, kLong) == 1) {
      const ssize_t n = ::read(fd.get(), bytes.data(), bytes.size());
      if (n <= 0) break;
      decoder.feed({bytes.data(), static_cast<std::size_t>(n)});
      while (auto m = decoder.next()) {
        got.push_back(*m);
        if (!last.empty() && m->payload.find(last) != std::string::npos) return got;
      }
    }
    EXPECT_FALSE(decoder.broken());
    if (!last.empty()) ADD_FAILURE() << "no message with '" << last << "'";
    return got;
  }
  // The keeper is the only one that holds this end: it has ended when nobody does.
  static void keeper_ends(const UniqueFd& out_fd) {
    pollfd p{out_fd.get(), POLLIN, 0};
    std::array<char, 65536> bytes{};
    while (::poll(&p, 1, kLong) == 1) {
      if (::read(out_fd.get(), bytes.data(), bytes.size()) == 0) return;
    }
    ADD_FAILURE() << "the keeper stays";
  }

  // A program that reports all commands in its log until it is told "end".
  static void echo(Control& control) {
    pollfd p{control.fd(), POLLIN, 0};
    while (!control.ended() && ::poll(&p, 1, kLong) == 1) {
      while (const auto command = control.next()) {
        if (const auto* mark = std::get_if<Mark>(&*command)) {
          control.log("mark=" + mark->text);
          if (mark->text == "end") return;
        } else if (const auto* pause = std::get_if<PauseFollowing>(&*command)) {
          control.log(pause->paused ? "pause" : "go on");
        } else if (const auto* tool = std::get_if<RunTool>(&*command)) {
          control.log((tool->probe ? "probe=" : "check=") + tool->target);
        } else {
          control.log("loss?");
        }
      }
    }
  }

  test::TempTree tree;
  std::string in;
  std::string out;
  std::string fifo;
  pid_t program = -1;
};

TEST_F(Pipes, without_toolbar_everything_does_nothing) {
  Result<Control> control = Control::open("", "", fifo);
  ASSERT_TRUE(control);
  EXPECT_EQ(control->fd(), -1);
  control->log("x");
  control->show_loss("y");
  EXPECT_FALSE(control->next());
  for (const std::string& path : {tree.path() + "/none", tree.write("plain", "")}) {
    control = Control::open(path, out, fifo);
    ASSERT_TRUE(control);
    EXPECT_EQ(control->fd(), -1) << path;
  }
}

TEST_F(Pipes, a_program_that_ends_at_once_leaves_wireshark_an_open_pipe) {
  start([](Control&) {});
  wait_for_program();
  const UniqueFd reader = open_out();
  UniqueFd writer = open_in();
  ASSERT_TRUE(writer) << "Wireshark would hang here";
  write(writer, set(ToolbarControl::pause, "\1") + kInitialized);
  write(writer, set(ToolbarControl::mark, "a control touched later"));
  writer.reset();
  keeper_ends(reader);
}

TEST_F(Pipes, a_killed_program_too) {
  start([](Control&) { ::pause(); });
  ASSERT_EQ(::kill(program, SIGKILL), 0);
  wait_for_program();
  const UniqueFd reader = open_out();
  UniqueFd writer = open_in();
  ASSERT_TRUE(writer);
  write(writer, kInitialized);
  writer.reset();
  keeper_ends(reader);
}

TEST_F(Pipes, a_dumpcap_that_waits_for_a_program_that_died_is_let_go) {
  start([](Control&) {});
  wait_for_program();
  const UniqueFd dumpcap(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_EQ(::unlink(fifo.c_str()), 0);  // as Wireshark does when it notices
  pollfd p{dumpcap.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&p, 1, kLong), 1);
  EXPECT_NE(p.revents & POLLHUP, 0);
}

TEST_F(Pipes, its_last_words_arrive_and_the_pipe_stays_until_wireshark_lets_go) {
  start([](Control& control) { control.log("that was it"); });
  wait_for_program();
  const UniqueFd reader = open_out();
  UniqueFd writer = open_in();
  ASSERT_TRUE(writer);
  write(writer, kInitialized);
  EXPECT_THAT(read_until(reader, "that was it").back().payload, EndsWith(" that was it\n"));
  pollfd p{reader.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&p, 1, 200), 0) << "an end here makes a thread of Wireshark spin";
  writer.reset();
  keeper_ends(reader);
}

TEST_F(Pipes, only_what_happens_while_it_runs_is_a_mark) {
  start(echo);
  const UniqueFd reader = open_out();
  const UniqueFd writer = open_in();
  ASSERT_TRUE(writer);
  write(writer, set(ToolbarControl::mark, "of last time") + set(ToolbarControl::pause, "\1") + kInitialized);
  write(writer, set(ToolbarControl::mark, "  new\n\xff ") + set(ToolbarControl::pause, std::string(1, '\0')) +
                    set(ToolbarControl::loss, "") + set(ToolbarControl::mark, " \t ") +
                    encode({99, ControlVerb::set, "?"}) + encode({0, static_cast<ControlVerb>(55), "?"}) +
                    set(ToolbarControl::mark, std::string(5000, 'x')) + set(ToolbarControl::mark, "end"));
  std::vector<std::string> log;
  unsigned cleared = 0;
  for (const ControlMessage& m : read_until(reader, "mark=end")) {
    if (m.control == number(ToolbarControl::log)) log.push_back(m.payload.substr(9));
    if (m.control == number(ToolbarControl::mark) && m.payload.empty()) ++cleared;
  }
  EXPECT_THAT(log,
              testing::ElementsAre("pause\n", "mark=new \xEF\xBF\xBD\n", "go on\n", "loss?\n", "mark=end\n"));
  EXPECT_EQ(cleared, 4U) << "the field is emptied after each mark";
}

TEST_F(Pipes, probes_and_checks_are_of_the_target_typed_last) {
  start(echo);
  const UniqueFd reader = open_out();
  const UniqueFd writer = open_in();
  ASSERT_TRUE(writer);
  write(writer, set(ToolbarControl::target, "web:80") + set(ToolbarControl::probe, "") + kInitialized +
                    set(ToolbarControl::probe, "") + set(ToolbarControl::target, " \n--from=x ") +
                    set(ToolbarControl::check, "") + set(ToolbarControl::mark, "end"));
  std::vector<std::string> log;
  for (const ControlMessage& m : read_until(reader, "mark=end")) {
    if (m.control == number(ToolbarControl::log)) log.push_back(m.payload.substr(9));
  }
  EXPECT_THAT(log, testing::ElementsAre("probe=web:80\n", "check=--from=x\n", "mark=end\n"));
}

TEST(Panel, a_target_is_never_an_option) {
  using testing::ElementsAre;
  EXPECT_THAT(tool_arguments({true, "web:80"}, ""), ElementsAre("probe", "--", "web:80"));
  EXPECT_THAT(tool_arguments({true, "web/icmp"}, ""), ElementsAre("probe", "--", "web/icmp"));
  EXPECT_THAT(tool_arguments({true, "db > web:80"}, ""), ElementsAre("probe", "--from=db", "--", "web:80"));
  EXPECT_THAT(tool_arguments({true, ""}, "web"), ElementsAre("probe", "--all-ports", "--", "web"));
  EXPECT_THAT(tool_arguments({true, "pod/shop"}, "web"),
              ElementsAre("probe", "--all-ports", "--", "pod/shop"));
  EXPECT_THAT(tool_arguments({false, ""}, "web"), ElementsAre("check", "--", "web"));
  EXPECT_THAT(tool_arguments({false, "--json"}, "web"), ElementsAre("check", "--", "--json"));
  EXPECT_THAT(tool_arguments({false, ""}, ""), testing::IsEmpty());
}

TEST_F(Pipes, wireshark_may_close_its_pipe_and_open_it_again) {
  start(echo);
  const UniqueFd reader = open_out();
  for (const char* text : {"first", "second", "third"}) {
    const UniqueFd writer = open_in();
    ASSERT_TRUE(writer);
    write(writer, kInitialized + set(ToolbarControl::mark, text));
    (void)read_until(reader, std::string("mark=") + text);
  }
}

TEST_F(Pipes, nonsense_from_the_pipe_harms_nobody) {
  start(echo);
  const UniqueFd reader = open_out();
  UniqueFd writer = open_in();
  ASSERT_TRUE(writer);
  ASSERT_EQ(::fcntl(writer.get(), F_SETFL, 0), 0);
  write(writer, std::string(70000, 'Z'));  // more than the pipe holds: it is read all the same
  write(writer, kInitialized + set(ToolbarControl::mark, "never"));
  writer.reset();
  ASSERT_EQ(::kill(program, SIGKILL), 0);
  wait_for_program();
  keeper_ends(reader);
}

TEST_F(Pipes, a_log_that_nobody_reads_blocks_nobody_and_the_loss_is_told) {
  std::array<int, 2> said{};
  ASSERT_EQ(::pipe2(said.data(), O_CLOEXEC), 0);
  start([&said](Control& control) {
    for (int i = 0; i < 1000; ++i) {
      control.log("line " + std::to_string(i) + " " + std::string(400, '.'));
      if (i % 20 == 0) ::usleep(1000);  // lets the keeper take them from its socket
    }
    (void)!::write(said[1], "s", 1);
    echo(control);
  });
  char byte = 0;
  ASSERT_EQ(::read(said[0], &byte, 1), 1);
  const UniqueFd reader = open_out();
  const UniqueFd writer = open_in();
  ASSERT_TRUE(writer);
  (void)read_until(reader, "line 100 ");  // makes room
  write(writer, kInitialized + set(ToolbarControl::mark, "still here"));
  bool told = false;
  for (const ControlMessage& m : read_until(reader, "mark=still here")) {
    EXPECT_LE(m.payload.size(), 1200U);
    told = told || m.payload.find("messages were lost") != std::string::npos;
  }
  EXPECT_TRUE(told);
}

TEST_F(Pipes, the_log_starts_over_before_it_fills_wiresharks_memory) {
  start([](Control& control) {
    // A busy machine loses some: the log never waits for its reader.
    for (int i = 0; i < 6003; ++i) {
      control.log("n" + std::to_string(i));
      if (i % 20 == 0) ::usleep(1000);
    }
    for (int i = 0; i < 100; ++i) {
      control.log("end");
      ::usleep(20'000);
    }
  });
  const UniqueFd reader = open_out();
  const auto got = read_until(reader, "end");
  EXPECT_EQ(got.front().verb, ControlVerb::add);
  EXPECT_TRUE(std::any_of(got.begin(), got.end(), [](const auto& m) { return m.verb == ControlVerb::set; }))
      << "which clears the window";
}

TEST_F(Pipes, the_loss_is_sent_when_it_changes) {
  start([](Control& control) {
    control.show_loss(kNoLoss);
    control.show_loss("dropped 3 (1 %)");
    control.show_loss("dropped 3 (1 %)");
    control.log("done");
  });
  const UniqueFd reader = open_out();
  const auto got = read_until(reader, "done");
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].payload, "dropped 3 (1 %)");
}

// ---- the keeper alone ---------------------------------------------------------------------------------

TEST_F(Pipes, a_wireshark_that_never_comes_can_not_hang_later) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]);
  const pid_t ended = ::fork();
  if (ended == 0) ::_exit(0);
  KeeperPipes pipes;
  pipes.in_path = in;
  pipes.program.reset(ends[1]);
  pipes.in.reset(::open(in.c_str(), O_RDONLY | O_NONBLOCK));
  pipes.out.reset(::open(out.c_str(), O_RDWR | O_NONBLOCK));
  pipes.program_pid.reset(static_cast<int>(::syscall(SYS_pidfd_open, ended, 0)));
  Keeper(std::move(pipes), std::chrono::milliseconds(10)).run();
  EXPECT_EQ(::waitpid(ended, nullptr, 0), ended);
  EXPECT_LT(::open(in.c_str(), O_WRONLY), 0) << "fails, instead of waiting";
  EXPECT_EQ(errno, ENOENT);
}

TEST_F(Pipes, without_a_keeper_the_program_waits_until_wireshark_is_through) {
  const pid_t waiting = ::fork();
  if (waiting == 0) {
    KeeperPipes pipes;
    pipes.in_path = in;
    pipes.in.reset(::open(in.c_str(), O_RDONLY | O_NONBLOCK));
    pipes.out.reset(::open(out.c_str(), O_RDWR | O_NONBLOCK));
    Keeper(std::move(pipes), std::chrono::minutes(1)).run_until_connected();
    ::_exit(42);
  }
  const UniqueFd writer(::open(in.c_str(), O_WRONLY));
  EXPECT_EQ(::waitpid(waiting, nullptr, WNOHANG), 0);
  write(writer, kInitialized);
  int status = 0;
  EXPECT_EQ(::waitpid(waiting, &status, 0), waiting);
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

}  // namespace
}  // namespace podshark::extcap
