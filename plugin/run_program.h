// SPDX-License-Identifier: GPL-2.0-or-later
// A child process whose output arrives in the event loop of Wireshark's window, so that the window stays
// alive meanwhile. GUI thread only.
#pragma once

#include <glib.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::plugin {

/// To be called once, when the plugin is registered: finds out whether GLib's sources fire in this window.
/// They do in Debian's Qt 5 and 6; not with QT_NO_GLIB=1, where a program keeps the window busy, for 15
/// seconds at most.
void watch_event_loop();

class Program : public std::enable_shared_from_this<Program> {
 public:
  struct Listener {
    std::function<void(std::string_view)> output;  ///< stdout and stderr, in the order written
    std::function<void(int status, bool stopped)>
        ended;  ///< once, as the last of all; status as of waitpid()
  };

  /// Starts argv[0] (a path) in a process group of its own, with /dev/null as stdin. No shell. It ends with
  /// Wireshark, however that ends.
  [[nodiscard]] static Result<std::shared_ptr<Program>> start(const std::vector<std::string>& argv);
  Program() = default;  ///< for start()
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();  ///< kills it, if nobody listens yet

  /// Once. From then on the program lives until it ends, whoever keeps this object.
  void listen(Listener listener);
  /// SIGTERM to the group, SIGKILL after two seconds; nothing when it has ended.
  void stop();
  [[nodiscard]] bool runs() const { return pid_ > 0; }

 private:
  static gboolean readable(gint fd, GIOCondition condition, gpointer handle) noexcept;
  static void reaped(GPid pid, gint status, gpointer handle) noexcept;
  static gboolean kill_now(gpointer handle) noexcept;
  enum class Read { some, nothing, end };
  Read read_some();
  void run_here();
  gpointer new_handle();  // keeps this object for as long as a source has it

  GPid pid_ = 0;
  UniqueFd out_;
  guint output_source_ = 0;
  guint killer_source_ = 0;
  bool stopped_ = false;
  Listener listener_;
};

}  // namespace podshark::plugin
