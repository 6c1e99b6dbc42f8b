// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/core/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace podshark {
namespace {

using Clock = std::chrono::steady_clock;

std::string search_path() {
  const char* path = std::getenv("PATH");
  return (path != nullptr && *path != '\0' ? std::string(path)
                                           : std::string("/usr/local/bin:/usr/bin:/bin")) +
         ":/usr/sbin:/sbin";  // a plain user's PATH lacks these, and nft and iptables live there
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  const std::string path = search_path();
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t to = std::min(path.find(':', from), path.size());
    std::string candidate = path.substr(from, to - from) + "/" + name;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    from = to + 1;
  }
  return {};
}

namespace {

std::vector<std::string> environment(const std::vector<std::string>& set_env) {
  std::vector<std::string> env;
  for (const std::string& s : set_env) {
    if (s.find('=') != std::string::npos) env.push_back(s);
  }
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    const std::string entry = *e;
    const std::string name = entry.substr(0, entry.find('=') + 1);
    const bool replaced = std::any_of(set_env.begin(), set_env.end(), [&](const std::string& s) {
      return s.compare(0, name.size(), name) == 0 || s + "=" == name;
    });
    if (!replaced) env.push_back(entry);
  }
  return env;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

// Between fork and exec only async-signal-safe calls: the parent may have threads one day.
[[noreturn]] void become(const char* program, char* const* argv, char* const* env, int in, int out,
                         int errors) {
  (void)::setpgid(0, 0);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(errors, 2);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execve(program, argv, env);
  ::_exit(127);
}

struct PipeEnds {
  UniqueFd read;
  UniqueFd write;
};

Result<PipeEnds> make_pipe(const std::string& program) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) return os_error(errno, "pipe for '" + program + "'");
  return PipeEnds{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

void set_nonblocking(const UniqueFd& fd) {
  if (fd) (void)::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

}  // namespace

int Child::wait() {
  int status = -1;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

void Child::leave() {
  end_lease();
  left_ = true;
}

void Child::kill_and_reap() {
  if (pid_ <= 0) return;
  if (left_) {
    (void)::waitpid(std::exchange(pid_, 0), nullptr, WNOHANG);  // else init's, when we have ended
    return;
  }
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  (void)wait();
}

Result<Child> spawn(const std::vector<std::string>& argv, const std::vector<std::string>& set_env,
                    Pipes pipes) {
  const std::string program = find_program(argv.at(0));
  if (program.empty()) {
    return Error{ErrorKind::internal, "'" + argv[0] + "' is not installed or not in PATH", {}};
  }
  Result<PipeEnds> out = make_pipe(argv[0]);
  Result<PipeEnds> errors = pipes.errors ? make_pipe(argv[0]) : PipeEnds{};
  Result<PipeEnds> lease = pipes.lease ? make_pipe(argv[0]) : PipeEnds{};
  for (const auto* p : {&out, &errors, &lease}) {
    if (!*p) return p->error();
  }
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return os_error(errno, "open '/dev/null'");

  std::vector<std::string> args = argv;
  std::vector<std::string> env = environment(set_env);
  const std::vector<char*> arg_pointers = pointers(args);
  const std::vector<char*> env_pointers = pointers(env);
  const pid_t pid = ::fork();
  if (pid < 0) return os_error(errno, "fork for '" + argv[0] + "'");
  if (pid == 0) {
    become(program.c_str(), arg_pointers.data(), env_pointers.data(),
           pipes.lease ? lease->read.get() : null.get(), out->write.get(),
           pipes.errors         ? errors->write.get()
           : pipes.merge_stderr ? out->write.get()
                                : null.get());
  }
  (void)::setpgid(pid, pid);  // both sides, so that the group exists whoever runs first
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  set_nonblocking(out->read);
  set_nonblocking(errors->read);
  return Child(pid, std::move(pidfd), std::move(out->read), std::move(errors->read), std::move(lease->write));
}

namespace {

constexpr std::size_t kMostErrors = std::size_t{16} << 10U;

// What can be read now, to the end of `text`. False: nothing more will come.
bool drain(int fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

Result<Output> run(const std::vector<std::string>& argv, std::chrono::milliseconds deadline,
                   std::size_t max_bytes, const std::vector<std::string>& set_env, Stderr errors) {
  const Clock::time_point end = Clock::now() + deadline;
  Result<Child> child =
      spawn(argv, set_env, {.errors = errors == Stderr::kept, .merge_stderr = errors == Stderr::merged});
  if (!child) return child.error();
  Output output;
  bool out_open = true;
  bool errors_open = errors == Stderr::kept;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) {
      return Error{ErrorKind::internal,
                   "'" + argv[0] + "' did not answer within " + std::to_string(deadline.count()) + " ms",
                   {}};
    }
    // After end of output wait for the exit itself: a child that closes stdout may still hang.
    const bool closed = !out_open && !errors_open;
    std::array<pollfd, 2> waiting{{{closed     ? child->pidfd()
                                    : out_open ? child->out()
                                               : -1,
                                    POLLIN, 0},
                                   {errors_open ? child->errors() : -1, POLLIN, 0}}};
    if (::poll(waiting.data(), waiting.size(), static_cast<int>(left)) <= 0) continue;
    if (closed) break;
    if (waiting[0].revents != 0) out_open = drain(child->out(), output.out);
    if (waiting[1].revents != 0) errors_open = drain(child->errors(), output.errors);
    if (output.errors.size() > 2 * kMostErrors) output.errors.erase(0, output.errors.size() - kMostErrors);
    if (output.out.size() > max_bytes) {
      return Error{ErrorKind::internal,
                   "'" + argv[0] + "' printed more than " + std::to_string(max_bytes) + " bytes",
                   {}};
    }
  }
  const int status = child->wait();
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return output;
}

}  // namespace podshark
