// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/run_program.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "plugin/main_window.h"
#include "podman/core/text.h"

namespace podshark::plugin {
namespace {

constexpr guint kPatienceMs = 2000;                      // between SIGTERM and SIGKILL
constexpr gint64 kBusyUs = gint64{15} * G_USEC_PER_SEC;  // the longest a window without GLib is kept busy
constexpr int kMostReads = 64;  // of what is left in the pipe when the program has ended

using Handle = std::shared_ptr<Program>;

bool sources_fire = false;

Program& program_of(gpointer handle) {
  return **static_cast<Handle*>(handle);
}

void drop_handle(gpointer handle) noexcept {
  delete static_cast<Handle*>(handle);
}

// In the child, between fork and exec: system calls only.
void prepare_child(gpointer parent) noexcept {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != GPOINTER_TO_INT(parent)) ::_exit(127);  // it has ended already
}

// GLib wants the words writable.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

Error start_error(const std::string& program, GError* error) {
  const std::string why = error != nullptr ? error->message : "unknown error";
  g_clear_error(&error);
  return {ErrorKind::internal, in_quotes(program) + " cannot be started: " + one_line(why, 300),
          "see Edit → Preferences → Protocols → Podman"};
}

}  // namespace

void watch_event_loop() {
  g_timeout_add(
      0,
      [](gpointer) -> gboolean {
        sources_fire = true;
        return G_SOURCE_REMOVE;
      },
      nullptr);
}

Result<std::shared_ptr<Program>> Program::start(const std::vector<std::string>& argv) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return os_error(errno, "pipe for " + in_quotes(argv[0]));
  auto program = std::make_shared<Program>();
  program->out_.reset(ends[0]);
  const UniqueFd write_end(ends[1]);
  ::fcntl(program->out_.get(), F_SETFL, O_NONBLOCK);
  std::vector<std::string> words = argv;
  const std::vector<char*> word_pointers = pointers(words);
  GError* error = nullptr;
  const gboolean started = g_spawn_async_with_pipes_and_fds(
      nullptr, word_pointers.data(), nullptr, G_SPAWN_DO_NOT_REAP_CHILD, prepare_child,
      GINT_TO_POINTER(::getpid()), -1, write_end.get(), write_end.get(), nullptr, nullptr, 0, &program->pid_,
      nullptr, nullptr, nullptr, &error);
  if (started == FALSE) return start_error(argv[0], error);
  return program;
}

Program::~Program() {
  if (pid_ <= 0) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::listen(Listener listener) {
  listener_ = std::move(listener);
  output_source_ = g_unix_fd_add_full(G_PRIORITY_DEFAULT, out_.get(),
                                      static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR), readable,
                                      new_handle(), drop_handle);
  g_child_watch_add_full(G_PRIORITY_DEFAULT, pid_, reaped, new_handle(), drop_handle);
  if (!sources_fire) run_here();
}

void Program::stop() {
  if (pid_ <= 0 || stopped_) return;
  stopped_ = true;
  ::kill(-pid_, SIGTERM);
  killer_source_ = g_timeout_add_full(G_PRIORITY_DEFAULT, kPatienceMs, kill_now, new_handle(), drop_handle);
}

gpointer Program::new_handle() {
  return new Handle(shared_from_this());
}

Program::Read Program::read_some() {
  char bytes[16384];
  const ssize_t n = ::read(out_.get(), bytes, sizeof bytes);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Read::nothing : Read::end;
  if (n == 0) return Read::end;
  if (listener_.output) listener_.output({bytes, static_cast<std::size_t>(n)});
  return Read::some;
}

gboolean Program::readable(gint /*fd*/, GIOCondition /*condition*/, gpointer handle) noexcept {
  Program& program = program_of(handle);
  Read read = Read::end;
  guarded([&] { read = program.read_some(); });
  if (read != Read::end) return G_SOURCE_CONTINUE;
  program.output_source_ = 0;
  return G_SOURCE_REMOVE;
}

// Whatever it has written is in the pipe now. The end of file may never come: a process it left behind may
// have the other end.
void Program::reaped(GPid pid, gint status, gpointer handle) noexcept {
  Program& program = program_of(handle);
  g_spawn_close_pid(pid);
  program.pid_ = 0;
  guarded([&] {
    for (int i = 0; i < kMostReads && program.read_some() == Read::some; ++i) {
    }
  });
  if (program.output_source_ != 0) g_source_remove(std::exchange(program.output_source_, 0U));
  if (program.killer_source_ != 0) g_source_remove(std::exchange(program.killer_source_, 0U));
  guarded([&] {
    const Listener listener = std::exchange(program.listener_, {});
    if (listener.ended) listener.ended(status, program.stopped_);
  });
}

gboolean Program::kill_now(gpointer handle) noexcept {
  Program& program = program_of(handle);
  program.killer_source_ = 0;
  if (program.pid_ > 0) ::kill(-program.pid_, SIGKILL);
  return G_SOURCE_REMOVE;
}

// Nobody else runs GLib's main context here, so we do.
void Program::run_here() {
  const gint64 deadline = g_get_monotonic_time() + kBusyUs;
  const guint clock = g_timeout_add(
      200, [](gpointer) -> gboolean { return G_SOURCE_CONTINUE; }, nullptr);
  while (runs()) {
    g_main_context_iteration(nullptr, TRUE);
    if (g_get_monotonic_time() > deadline) stop();
  }
  g_source_remove(clock);
}

}  // namespace podshark::plugin
