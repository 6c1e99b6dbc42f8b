// SPDX-License-Identifier: GPL-2.0-or-later
// One poll(2) loop. A fifo that was opened for reading without waiting reports nothing until the first writer
// comes, and a hang-up only after one has left; that tells "not yet" from "no more".
#include "extcap/control/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace podshark::extcap {
namespace {

// After unlinking: for a Wireshark that had looked the path up just before.
constexpr std::chrono::milliseconds kGrace{1000};
constexpr int kRetryMs = 20;

bool same_fifo(int fd, const std::string& path) {
  struct stat mine {};
  struct stat there {};
  return ::fstat(fd, &mine) == 0 && ::lstat(path.c_str(), &there) == 0 && S_ISFIFO(there.st_mode) &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

}  // namespace

UniqueFd open_wiresharks_fifo(const std::string& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  struct stat st {};
  const bool right = fd && ::fstat(fd.get(), &st) == 0 && S_ISFIFO(st.st_mode) &&
                     (st.st_uid == ::geteuid() || st.st_uid == 0);
  return right ? std::move(fd) : UniqueFd();
}

Keeper::Keeper(KeeperPipes pipes, std::chrono::milliseconds patience)
    : pipes_(std::move(pipes)), patience_(patience) {}

void Keeper::run() noexcept {
  while (!wireshark_gone_ && !expired_ && !(program_gone_ && link_ == Link::released)) turn();
}

void Keeper::run_until_connected() {
  program_ended();
  while (!wireshark_gone_ && !expired_ && link_ == Link::waiting) turn();
}

int Keeper::timeout_ms() const {
  if (program_gone_ && pipes_.fifo) return kRetryMs;
  if (!program_gone_ || link_ != Link::waiting) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left + 1, 0, 3'600'000));
}

void Keeper::turn() {
  // poll(2) ignores negative descriptors.
  std::array<pollfd, 4> fds{{{pipes_.in.get(), POLLIN, 0},
                             {pipes_.program.get(), POLLIN, 0},
                             {program_gone_ ? -1 : pipes_.program_pid.get(), POLLIN, 0},
                             {pipes_.wireshark_pid.get(), POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), timeout_ms()) < 0 && errno != EINTR) {
    expired_ = true;
    return;
  }
  if (fds[0].revents != 0) read_wireshark();
  if ((fds[1].revents & POLLIN) != 0) read_program();
  if (fds[2].revents != 0) program_ended();
  if (fds[3].revents != 0) wireshark_gone_ = true;
  if (program_gone_ && pipes_.fifo) release_dumpcap();
  if (program_gone_ && link_ == Link::waiting && Clock::now() >= deadline_) give_up();
}

void Keeper::read_wireshark() {
  std::array<char, 65536> bytes{};
  const ssize_t n = ::read(pipes_.in.get(), bytes.data(), bytes.size());
  if (n < 0) return;  // EAGAIN, EINTR
  if (n == 0) return reopen();
  decoder_.feed({bytes.data(), static_cast<std::size_t>(n)});
  while (const std::optional<ControlMessage> message = decoder_.next()) {
    if (message->verb == ControlVerb::initialized) link_ = Link::connected;
    if (message->payload.size() > kMaxFromWireshark) continue;
    const std::string packet = encode(*message);
    // A program that does not read for so long that its socket is full loses the user's next actions.
    if (pipes_.program)
      (void)::send(pipes_.program.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (decoder_.broken()) link_ = Link::connected;  // somebody is there, whoever it is
}

// Wireshark has closed its pipe. It may open it again for the next file of a capture.
void Keeper::reopen() {
  UniqueFd fresh = open_wiresharks_fifo(pipes_.in_path, O_RDONLY | O_NONBLOCK);
  link_ = Link::released;
  decoder_ = {};
  pipes_.in = std::move(fresh);  // none when the path is gone: then nobody can open it either
}

void Keeper::read_program() {
  std::array<char, kMaxToWireshark> bytes{};
  while (true) {
    const ssize_t n = ::recv(pipes_.program.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n == 0) pipes_.program.reset();  // closed, and about to end
    if (n <= 0) return;
    to_wireshark({bytes.data(), static_cast<std::size_t>(n)});
  }
}

bool Keeper::write_out(const std::string& message) {
  return ::write(pipes_.out.get(), message.data(), message.size()) == static_cast<ssize_t>(message.size());
}

void Keeper::to_wireshark(const std::string& message) {
  // The note comes before what follows the gap, or that is lost too: a short message may still fit in a full
  // pipe.
  if (lost_ > 0 && write_out(encode({pipes_.log_control, ControlVerb::add, lost_note(lost_)}))) lost_ = 0;
  if (lost_ > 0 || !write_out(message)) ++lost_;
}

void Keeper::program_ended() {
  read_program();  // its last words
  program_gone_ = true;
  pipes_.program.reset();
  deadline_ = Clock::now() + patience_;
}

// Where the program died before opening the fifo of the packets, dumpcap waits for a writer; one that comes
// and goes ends the capture. When the program did open it, one more changes nothing.
void Keeper::release_dumpcap() {
  const std::string path = "/proc/self/fd/" + std::to_string(pipes_.fifo.get());
  const UniqueFd writer(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (writer || errno != ENXIO) pipes_.fifo.reset();
}

void Keeper::give_up() {
  if (given_up_) {
    expired_ = true;
    return;
  }
  given_up_ = true;
  deadline_ = Clock::now() + kGrace;
  if (same_fifo(pipes_.in.get(), pipes_.in_path)) (void)::unlink(pipes_.in_path.c_str());
}

}  // namespace podshark::extcap
