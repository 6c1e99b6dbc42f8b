// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "podman/core/proc.h"
#include "podman/core/text.h"
#include "tests/unit/temp_tree.h"

namespace podshark {
namespace {

using namespace std::chrono_literals;
using test::ScopedEnv;
using test::TempTree;

constexpr std::size_t kPlenty = 1U << 20U;

// PID 1 may reap late: a zombie has ended.
bool has_ended(pid_t pid) {
  const Result<ProcStat> stat = read_stat(pid);
  return !stat || stat->state == 'Z';
}

// Waits for a file that a script writes in one piece by renaming it.
pid_t pid_from(const std::string& path) {
  while (!std::filesystem::exists(path)) std::this_thread::sleep_for(1ms);
  return static_cast<pid_t>(std::stol(test::slurp(path)));
}

TEST(Run, returns_output_and_exit_code) {
  const Result<Output> output = run({"sh", "-c", "echo out; echo err >&2; exit 3"}, 10s, kPlenty);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->exit_code, 3);
}

TEST(Run, passes_arguments_without_a_shell) {
  const Result<Output> output = run({"printf", "%s|", "a b", "$HOME", "*;\n"}, 10s, kPlenty);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "a b|$HOME|*;\n|");
}

TEST(Run, stdin_is_empty) {
  const Result<Output> output = run({"cat"}, 10s, kPlenty);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "");
}

TEST(Run, a_signal_is_128_and_its_number) {
  const Result<Output> output = run({"sh", "-c", "kill -KILL $$"}, 10s, kPlenty);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->exit_code, 128 + SIGKILL);
}

TEST(Run, missing_program_is_an_error_naming_it) {
  const Result<Output> output = run({"no-such-program-here"}, 10s, kPlenty);
  ASSERT_FALSE(output);
  EXPECT_NE(output.error().what.find("'no-such-program-here'"), std::string::npos);
}

TEST(Run, the_deadline_kills_the_whole_group) {
  const TempTree tree;
  const std::string file = tree.path() + "/pid";
  const std::string script = "sleep 1000 & echo $! >" + file + ".new; mv " + file + ".new " + file + "; wait";
  const auto start = std::chrono::steady_clock::now();
  const Result<Output> output = run({"sh", "-c", script}, 1500ms, kPlenty);
  ASSERT_FALSE(output);
  EXPECT_NE(output.error().what.find("'sh' did not answer within 1500 ms"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  const pid_t grandchild = pid_from(file);
  while (!has_ended(grandchild)) std::this_thread::sleep_for(1ms);  // the test's own time-out is the limit
}

TEST(Run, a_stopped_program_is_killed_at_the_deadline) {
  const Result<Output> output = run({"sh", "-c", "kill -STOP $$"}, 200ms, kPlenty);
  EXPECT_FALSE(output);
}

TEST(Run, a_program_that_closes_stdout_and_stays_is_killed_at_the_deadline) {
  const Result<Output> output = run({"sh", "-c", "exec >&-; exec sleep 1000"}, 200ms, kPlenty);
  EXPECT_FALSE(output);
}

TEST(Run, too_much_output_is_an_error_not_a_cut) {
  const Result<Output> output = run({"yes"}, 10s, 100'000);
  ASSERT_FALSE(output);
  EXPECT_NE(output.error().what.find("more than 100000 bytes"), std::string::npos);
}

TEST(Run, environment_entries_replace_and_remove) {
  const ScopedEnv kept("PODSHARK_T_KEPT", "kept");
  const ScopedEnv replaced("PODSHARK_T_SET", "old");
  const ScopedEnv removed("PODSHARK_T_GONE", "old");
  const ScopedEnv longer("PODSHARK_T_GONE_NOT", "stays");
  const Result<Output> output =
      run({"sh", "-c", "echo $PODSHARK_T_KEPT,$PODSHARK_T_SET,${PODSHARK_T_GONE-unset},$PODSHARK_T_GONE_NOT"},
          10s, kPlenty, {"PODSHARK_T_SET=new", "PODSHARK_T_GONE"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "kept,new,unset,stays\n");
}

TEST(FindProgram, takes_the_first_of_PATH_and_ignores_what_is_not_executable) {
  const TempTree tree;
  tree.write("a/tool", "#!/bin/sh\n", false);
  const std::string second = tree.write("b/tool", "#!/bin/sh\n", true);
  tree.write("c/tool", "#!/bin/sh\n", true);
  const std::string path = tree.path() + "/a:" + tree.path() + "/b:" + tree.path() + "/c";
  const ScopedEnv env("PATH", path.c_str());
  EXPECT_EQ(find_program("tool"), second);
  EXPECT_EQ(find_program("other-tool"), "");
}

TEST(FindProgram, relative_entries_of_PATH_are_not_used) {
  const ScopedEnv env("PATH", ".::bin");
  EXPECT_EQ(find_program("no-such-program-here"), "");
}

TEST(Spawn, destroying_a_child_kills_and_reaps_it) {
  pid_t pid = 0;
  {
    Result<Child> child = spawn({"sleep", "1000"});
    ASSERT_TRUE(child);
    pid = child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);  // reaped by us, so not even a zombie is left
  EXPECT_EQ(errno, ESRCH);
}

TEST(Spawn, move_assignment_kills_the_old_child) {
  Result<Child> first = spawn({"sleep", "1000"});
  Result<Child> second = spawn({"sleep", "1000"});
  ASSERT_TRUE(first && second);
  const pid_t old = first->pid();
  Child child = std::move(*first);
  child = std::move(*second);
  EXPECT_EQ(::kill(old, 0), -1);
  EXPECT_EQ(::kill(child.pid(), 0), 0);
}

TEST(Spawn, pidfd_tells_the_end) {
  Result<Child> child = spawn({"true"});
  ASSERT_TRUE(child);
  pollfd p{child->pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&p, 1, 10'000), 1);
  EXPECT_EQ(child->wait(), 0);
  EXPECT_FALSE(*child);
}

// ---- leases -------------------------------------------------------------------------------------------

std::string read_all(int fd) {
  std::string out;
  std::array<char, 256> buffer{};
  for (;;) {
    pollfd p{fd, POLLIN, 0};
    (void)::poll(&p, 1, -1);
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

TEST(Lease, lasts_until_it_is_ended) {
  Result<Child> child = spawn({"sh", "-c", "echo held; cat; echo over"}, {}, {.lease = true});
  ASSERT_TRUE(child);
  pollfd p{child->pidfd(), POLLIN, 0};
  EXPECT_EQ(::poll(&p, 1, 100), 0);
  child->end_lease();
  EXPECT_EQ(read_all(child->out()), "held\nover\n");
  EXPECT_EQ(child->wait(), 0);
}

TEST(Lease, is_not_inherited_by_other_children) {
  Result<Child> child = spawn({"cat"}, {}, {.lease = true});
  const Result<Child> other = spawn({"sleep", "1000"});
  ASSERT_TRUE(child && other);
  child->end_lease();
  EXPECT_EQ(child->wait(), 0);
}

TEST(Spawn, errors_have_a_pipe_of_their_own) {
  Result<Child> child = spawn({"sh", "-c", "echo out; echo err >&2"}, {}, {.errors = true});
  ASSERT_TRUE(child);
  EXPECT_EQ(read_all(child->errors()), "err\n");
  EXPECT_EQ(read_all(child->out()), "out\n");
}

TEST(Leave, a_child_that_tidies_up_is_not_killed) {
  const TempTree tree;
  const std::string file = tree.path() + "/tidy";
  {
    Result<Child> child = spawn({"sh", "-c", "cat; echo done >\"$1.new\"; mv \"$1.new\" \"$1\"", "sh", file},
                                {}, {.lease = true});
    ASSERT_TRUE(child);
    child->leave();
  }
  while (!std::filesystem::exists(file)) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(test::slurp(file), "done\n");
}

}  // namespace
}  // namespace podshark
