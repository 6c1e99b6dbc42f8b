// SPDX-License-Identifier: GPL-2.0-or-later
// Filter, output and recorder: the parts of the capture path that need no network.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "extcap/capture/filter.h"
#include "extcap/capture/output.h"
#include "extcap/capture/recorder.h"
#include "extcap/name_blocks.h"
#include "podman/core/proc.h"

namespace podshark::extcap {
namespace {

using testing::HasSubstr;

class TempDir : public testing::Test {
 protected:
  TempDir() {
    std::string pattern = testing::TempDir() + "podshark-XXXXXX";
    dir = ::mkdtemp(pattern.data());
  }
  ~TempDir() override { std::filesystem::remove_all(dir); }
  [[nodiscard]] static std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  std::string dir;
};

wire::Bytes packets(std::size_t count, std::uint32_t size) {
  wire::Bytes b;
  const std::vector<std::uint8_t> data(size, 7);
  for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(wire::put_packet(&b, 1, i, data.data(), size, size));
  return b;
}

// ---- filter -------------------------------------------------------------------------------------------

TEST(Filter, empty_means_everything_cut_to_snaplen) {
  const auto f = Filter::compile("  ", wire::kLinktypeEthernet, 96);
  ASSERT_TRUE(f);
  ASSERT_EQ(f->kernel_program().size(), 1U);
  EXPECT_EQ(f->kernel_program()[0].k, 96U);
  EXPECT_FALSE(f->in_user_space());
}

TEST(Filter, wrong_syntax_is_libpcaps_message) {
  const auto f = Filter::compile("tcp prot 80", wire::kLinktypeEthernet, 262144);
  ASSERT_FALSE(f);
  EXPECT_EQ(f.error().kind, ErrorKind::bad_filter);
  EXPECT_THAT(f.error().what, HasSubstr("tcp prot 80"));
}

TEST(Filter, raw_ip_links_get_a_program_of_their_own) {
  const auto ethernet = Filter::compile("ip", wire::kLinktypeEthernet, 262144);
  const auto raw = Filter::compile("ip", wire::kLinktypeRaw, 262144);
  ASSERT_TRUE(ethernet);
  ASSERT_TRUE(raw);
  EXPECT_NE(ethernet->kernel_program()[0].k, raw->kernel_program()[0].k);
}

TEST(Filter, vlan_filters_run_on_the_repaired_frame) {
  const auto f = Filter::compile("vlan 7", wire::kLinktypeEthernet, 262144);
  ASSERT_TRUE(f);
  ASSERT_TRUE(f->in_user_space());
  std::array<std::uint8_t, 64> frame{};
  frame[12] = 0x81;
  frame[15] = 7;
  EXPECT_TRUE(f->matches(frame.data(), frame.size(), frame.size()));
  frame[15] = 8;
  EXPECT_FALSE(f->matches(frame.data(), frame.size(), frame.size()));
}

// ---- output -------------------------------------------------------------------------------------------

using OutputTest = TempDir;

TEST_F(OutputTest, a_file_is_private_and_holds_what_was_written) {
  auto out = Output::open(dir + "/x");
  ASSERT_TRUE(out);
  wire::Bytes b = packets(10, 100);
  const std::size_t size = b.size;
  ASSERT_TRUE(out->write(&b));
  EXPECT_EQ(out->backlog(), 0U);
  EXPECT_EQ(content(dir + "/x").size(), size);
  struct stat st {};
  ASSERT_EQ(::stat((dir + "/x").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
  wire::free_bytes(&b);
}

TEST_F(OutputTest, a_full_disk_leaves_whole_blocks) {
  // RLIMIT_FSIZE gives EFBIG at an arbitrary byte, as a full disk gives ENOSPC.
  (void)std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto out = Output::open(dir + "/x");
  ASSERT_TRUE(out);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  wire::Bytes b = packets(20, 100);
  const Status s = out->write(&b);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, ErrorKind::output);
  EXPECT_THAT(s.error().what, HasSubstr(dir + "/x"));
  EXPECT_EQ(content(dir + "/x").size(), 7U * 132U);  // seven packets of 132 bytes fit into 1000
  wire::free_bytes(&b);
}

TEST_F(OutputTest, a_slow_reader_makes_a_backlog_and_loses_nothing) {
  ASSERT_EQ(::mkfifo((dir + "/f").c_str(), 0600), 0);
  const UniqueFd reader(::open((dir + "/f").c_str(), O_RDONLY | O_NONBLOCK));
  auto out = Output::open(dir + "/f");
  ASSERT_TRUE(out);
  EXPECT_TRUE(out->pipe());
  std::size_t total = 0;
  wire::Bytes b{};
  for (int i = 0; i < 5; ++i) {
    wire::free_bytes(&b);
    b = packets(5000, 100);
    total += b.size;
    ASSERT_TRUE(out->write(&b));
  }
  EXPECT_GT(out->backlog(), 0U);
  std::size_t read_bytes = 0;
  std::array<char, 65536> buffer{};
  while (read_bytes < total) {
    const ssize_t n = ::read(reader.get(), buffer.data(), buffer.size());
    if (n > 0) read_bytes += static_cast<std::size_t>(n);
    ASSERT_TRUE(out->pump());
    ASSERT_TRUE(n > 0 || out->backlog() > 0 || read_bytes == total);
  }
  EXPECT_EQ(out->backlog(), 0U);
  EXPECT_EQ(out->written(), total);
  wire::free_bytes(&b);
}

TEST_F(OutputTest, a_file_is_replaced_by_its_name_only_and_with_the_first_byte) {
  const std::string path = dir + "/night";
  const auto content = [&] { return *read_file(path, 100); };
  { std::ofstream(path) << "before"; }
  { EXPECT_TRUE(Output::open(path)); }
  EXPECT_EQ("before", content());
  const UniqueFd appended(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  const UniqueFd kept(::dup(STDOUT_FILENO));
  wire::Bytes b;
  const auto put = [&](const std::string& name) {
    auto out = Output::open(name);
    EXPECT_TRUE(wire::reserve(&b, 2));
    std::memcpy(b.data, "+1", 2);
    b.size = 2;
    EXPECT_TRUE(out && out->write(&b));
  };
  ASSERT_EQ(::dup2(appended.get(), STDOUT_FILENO), STDOUT_FILENO);
  put("-");  // the shell's >>
  ASSERT_EQ(::dup2(kept.get(), STDOUT_FILENO), STDOUT_FILENO);
  EXPECT_EQ("before+1", content());
  put(path);
  EXPECT_EQ("+1", content());
  wire::free_bytes(&b);
}

TEST_F(OutputTest, a_pipe_of_others_stays_as_it_is) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::pipe(fds.data()), 0);
  const UniqueFd reader(fds[0]);
  const UniqueFd kept(::dup(STDOUT_FILENO));
  ASSERT_EQ(::dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
  ::close(fds[1]);
  {
    auto out = Output::open("-");
    EXPECT_TRUE(out && out->pipe());
    EXPECT_NE(::fcntl(out->fd(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
  }
  ASSERT_EQ(::dup2(kept.get(), STDOUT_FILENO), STDOUT_FILENO);
}

TEST_F(OutputTest, a_reader_that_left_is_no_error) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  ASSERT_EQ(::mkfifo((dir + "/f").c_str(), 0600), 0);
  UniqueFd reader(::open((dir + "/f").c_str(), O_RDONLY | O_NONBLOCK));
  auto out = Output::open(dir + "/f");
  ASSERT_TRUE(out);
  reader.reset();
  wire::Bytes b = packets(1, 100);
  EXPECT_TRUE(out->write(&b));
  EXPECT_TRUE(out->reader_gone());
  wire::free_bytes(&b);
}

TEST_F(OutputTest, a_fifo_waits_for_its_reader) {
  ASSERT_EQ(::mkfifo((dir + "/f").c_str(), 0600), 0);
  const pid_t reader = ::fork();
  if (reader == 0) {
    char byte = 0;
    const int fd = ::open((dir + "/f").c_str(), O_RDONLY);
    ::_exit(::read(fd, &byte, 1) == 1 ? 0 : 1);
  }
  {
    auto out = Output::open(dir + "/f");
    ASSERT_TRUE(out);
    EXPECT_TRUE(out->pipe());
    wire::Bytes b = packets(1, 10);
    EXPECT_TRUE(out->write(&b));
    wire::free_bytes(&b);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(reader, &status, 0), reader);
  EXPECT_EQ(status, 0);
}

TEST_F(OutputTest, a_blocked_signal_ends_the_waiting_and_stays_pending) {
  ASSERT_EQ(::mkfifo((dir + "/f").c_str(), 0600), 0);
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  ASSERT_EQ(::sigprocmask(SIG_BLOCK, &stop, &before), 0);
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  auto out = Output::open(dir + "/f");
  ASSERT_TRUE(out);
  EXPECT_TRUE(out->reader_gone());
  wire::Bytes b = packets(1, 10);
  EXPECT_TRUE(out->write(&b));
  wire::free_bytes(&b);
  const timespec now{};
  EXPECT_EQ(::sigtimedwait(&stop, nullptr, &now), SIGTERM);
  ASSERT_EQ(::sigprocmask(SIG_SETMASK, &before, nullptr), 0);
}

TEST_F(OutputTest, a_place_that_cannot_be_written_is_named) {
  const auto out = Output::open(dir + "/no/such/place");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::output);
  EXPECT_THAT(out.error().what, HasSubstr("/no/such/place"));
}

TEST_F(OutputTest, of_wiresharks_fifo_nothing_is_made_followed_or_cut) {
  const std::string fifo = dir + "/f";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const UniqueFd reader(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK));
  std::ofstream(dir + "/file") << "kept";
  ASSERT_EQ(::symlink("f", (dir + "/link").c_str()), 0);
  for (const auto& [what, reason] : {std::pair{"file", "it is no fifo"}, std::pair{"link", "it is a link"},
                                     std::pair{"missing", "No such file"}, std::pair{"", "it is no fifo"}}) {
    const auto out = Output::open_wiresharks(dir + "/" + what);
    ASSERT_FALSE(out) << what;
    EXPECT_EQ(out.error().kind, ErrorKind::output);
    EXPECT_THAT(out.error().line(), HasSubstr(reason));
  }
  EXPECT_EQ(content(dir + "/file"), "kept");
  EXPECT_FALSE(std::filesystem::exists(dir + "/missing"));
  EXPECT_TRUE(Output::open_wiresharks(fifo));
}

TEST_F(OutputTest, a_descriptor_of_the_caller_is_taken_for_wiresharks_fifo) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::pipe(fds.data()), 0);
  const UniqueFd reader(fds[0]);
  const UniqueFd writer(fds[1]);
  EXPECT_TRUE(Output::open_wiresharks("/dev/fd/" + std::to_string(writer.get())));
}

TEST_F(OutputTest, a_fifo_that_is_removed_is_not_waited_for) {
  const std::string fifo = dir + "/f";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::thread remover([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::unlink(fifo.c_str());
  });
  const auto out = Output::open_wiresharks(fifo);
  remover.join();
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().kind, ErrorKind::output);
}

// ---- recorder -----------------------------------------------------------------------------------------

using RecorderTest = TempDir;

TEST_F(RecorderTest, a_stream_begins_with_section_and_events_interface_and_names_links) {
  {
    auto out = Output::open(dir + "/x");
    ASSERT_TRUE(out);
    Recorder recorder(std::move(*out));
    Target target;
    target.value = "podman:web";
    target.container.id = std::string(64, 'a');
    target.container.name = "web";
    target.container.image = "an image";
    model::Link link;
    link.name = "eth0";
    EXPECT_EQ(recorder.add_interface({target, link, "eth0", 1, 262144, "tcp", 4026}), 1U);
    model::Inventory inventory;
    inventory.containers.push_back(target.container);
    recorder.inventory(inventory, /* at_once= */ false);
    recorder.release_all();
    ASSERT_TRUE(recorder.flush());
  }
  const std::string file = content(dir + "/x");
  EXPECT_EQ(file.substr(0, 4), std::string("\x0a\x0d\x0d\x0a", 4));
  EXPECT_THAT(file, HasSubstr("Podman events"));
  EXPECT_THAT(file, HasSubstr("podman:web/eth0"));
  EXPECT_THAT(file, HasSubstr("container=web id=aaaaaaaaaaaa image=an_image"));
  EXPECT_THAT(file, HasSubstr("\"kind\":\"inventory\""));
}

TEST_F(RecorderTest, a_record_that_is_too_long_is_left_out_not_cut) {
  {
    auto out = Output::open(dir + "/x");
    ASSERT_TRUE(out);
    Recorder recorder(std::move(*out));
    annotate::Event event;
    event.kind = "mark";
    for (const std::size_t size : {std::size_t{100}, wire::kMaxBlock}) {
      event.detail = std::string(size, 'x');
      recorder.event_at_once(event);
    }
    EXPECT_EQ(recorder.lost(0), 1U);
    ASSERT_TRUE(recorder.flush());
  }
  EXPECT_LT(content(dir + "/x").size(), 1000U);
}

TEST_F(RecorderTest, records_for_a_reader_that_stands_still_are_bounded) {
  std::array<int, 2> fds{};
  ASSERT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  const UniqueFd reader(fds[0]);
  const UniqueFd writer(fds[1]);
  auto out = Output::open("/dev/fd/" + std::to_string(writer.get()));
  ASSERT_TRUE(out);
  Recorder recorder(std::move(*out));
  annotate::Event event;
  event.kind = "nat";
  event.detail = std::string(1000, 'x');
  unsigned heard = 0;
  recorder.on_event([&](const annotate::Event&) { ++heard; });
  const auto tell = [&](unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
      recorder.event(event);
      recorder.inventory({}, /* at_once= */ i % 2 == 0);
      if (i % 50 != 0) continue;  // some wait for their place, some for the reader
      recorder.release_all();
      ASSERT_TRUE(recorder.flush());
    }
  };
  tell(2000);
  EXPECT_EQ(recorder.lost(0), 0U);
  constexpr std::size_t kMost = 4'000'000;
  recorder.limit_records(kMost);
  tell(20'000);
  EXPECT_GT(recorder.lost(0), 20'000U);
  EXPECT_LT(recorder.output()->backlog() + recorder.held_bytes(), kMost + 10'000);
  EXPECT_EQ(heard, 22'000U) << "people are still told";
}

TEST_F(RecorderTest, a_history_that_memory_cuts_short_says_so_where_it_was_saved) {
  Recorder recorder(std::make_unique<History>(std::chrono::seconds(300), std::size_t{1} << 20U));
  const std::vector<std::uint8_t> data(60'000);
  const wire::Packet packet{data.data(), 60'000, 60'000, 1, 0};
  const auto mebibyte = [&] {
    for (int i = 0; i < 17; ++i) recorder.packet(1, packet);
    recorder.release_all();
    ASSERT_TRUE(recorder.flush());
  };
  mebibyte();
  ASSERT_TRUE(recorder.save_history(dir + "/x", {}));
  EXPECT_EQ(recorder.saved_line("x"), "saved to x");
  mebibyte();
  ASSERT_TRUE(recorder.save_history(dir + "/x", {}));
  EXPECT_THAT(recorder.saved_line("x"), HasSubstr(" of 300 seconds (a larger --last-size"));
}

// As much memory as there is now and `more` bytes, for the time of a scope.
class ShortOfMemory {
 public:
  explicit ShortOfMemory(std::size_t more) {
    (void)::getrlimit(RLIMIT_AS, &before_);
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit = before_;
    limit.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + more;
    (void)::setrlimit(RLIMIT_AS, &limit);
  }
  ~ShortOfMemory() { (void)::setrlimit(RLIMIT_AS, &before_); }
  ShortOfMemory(const ShortOfMemory&) = delete;
  ShortOfMemory& operator=(const ShortOfMemory&) = delete;

 private:
  rlimit before_{};
};

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

#ifndef __SANITIZE_ADDRESS__
TEST_F(RecorderTest, packets_that_there_is_no_memory_for_are_counted) {
  auto out = Output::open(dir + "/x");
  ASSERT_TRUE(out);
  Recorder recorder(std::move(*out));
  const Target target;
  const std::uint32_t id = recorder.add_interface({target, {}, "eth0", 1, 262144, "", 1});
  const std::vector<std::uint8_t> data(60'000);
  constexpr unsigned kPackets = 1000;
  {
    const ShortOfMemory here(20 * kMebibyte);
    for (unsigned i = 0; i < kPackets; ++i) recorder.packet(id, {data.data(), 60'000, 60'000, i, 0});
  }
  const std::uint64_t lost = recorder.lost(id);
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, kPackets);
  EXPECT_EQ(recorder.lost_packets(), lost);
  EXPECT_EQ(recorder.lost(0), 0U);
  recorder.release_all();
  ASSERT_TRUE(recorder.flush());
  EXPECT_EQ((std::filesystem::file_size(dir + "/x")) / 60'000, kPackets - lost);
}

TEST_F(RecorderTest, a_history_that_gets_no_memory_drops_its_oldest) {
  auto history = std::make_unique<History>(std::chrono::seconds(300), 1024 * kMebibyte);
  Recorder recorder(std::move(history));
  const Target target;
  const std::uint32_t id = recorder.add_interface({target, {}, "eth0", 1, 262144, "", 1});
  const std::vector<std::uint8_t> data(60'000);
  {
    const ShortOfMemory here(20 * kMebibyte);
    for (unsigned i = 0; i < 1000; ++i) {
      recorder.packet(id, {data.data(), 60'000, 60'000, i, 0});
      recorder.release_all();
      ASSERT_TRUE(recorder.flush());
    }
    ASSERT_TRUE(recorder.save_history(dir + "/x", {}));
  }
  EXPECT_EQ(recorder.lost_packets(), 0U);
  EXPECT_THAT(recorder.saved_line("x"), HasSubstr("a larger --last-size"));
  EXPECT_GT(std::filesystem::file_size(dir + "/x"), 5 * kMebibyte);
}
#endif

TEST(NameBlocks, a_joint_name_that_is_too_long_is_written_once_too) {
  model::Inventory inventory;
  for (const char letter : {'a', 'b', 'c'}) {
    model::Container c;
    c.name = std::string(25, letter);
    c.pid = 1;
    c.kind = model::NetworkKind::bridge;
    c.networks.push_back({"podman", "eth0", "", {"10.88.0.2/16"}, ""});
    inventory.containers.push_back(c);
  }
  NameBlocks names;
  wire::Bytes out;
  names.put(inventory, &out);
  const std::size_t once = out.size;
  EXPECT_GT(once, 0U);
  for (int minute = 0; minute < 3; ++minute) names.put(inventory, &out);
  EXPECT_EQ(out.size, once);
  wire::free_bytes(&out);
}

TEST_F(RecorderTest, an_address_owned_in_turn_gets_a_joint_name_once) {
  {
    auto out = Output::open(dir + "/x");
    ASSERT_TRUE(out);
    Recorder recorder(std::move(*out));
    for (const char* name : {"web", "db", "web", "db"}) {
      model::Container c;
      c.name = name;
      c.pid = 1;
      c.kind = model::NetworkKind::bridge;
      c.networks.push_back({"podman", "eth0", "", {"10.88.0.2/16"}, ""});
      model::Inventory inventory;
      inventory.containers.push_back(c);
      recorder.inventory(inventory, /* at_once= */ false);
    }
    recorder.release_all();
    ASSERT_TRUE(recorder.flush());
  }
  const std::string file = content(dir + "/x");
  EXPECT_THAT(file, HasSubstr("web|db"));
  EXPECT_EQ(file.find("web|db|"), std::string::npos);
}

}  // namespace
}  // namespace podshark::extcap
