// SPDX-License-Identifier: GPL-2.0-or-later
// A text window of Wireshark's "funnel". It belongs to the person in front of it, who may close it at any
// time: afterwards nothing here touches it any more.
#pragma once

#include <epan/funnel.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "plugin/commands.h"

namespace podshark::plugin {

class TextWindow {
 public:
  /// Shows an empty window titled "Podman · SUBJECT"; nullptr where there are no windows (tshark).
  [[nodiscard]] static std::shared_ptr<TextWindow> open(const std::string& subject);
  explicit TextWindow(funnel_text_window_t* window) : window_(window) {}  ///< for open()
  TextWindow(const TextWindow&) = delete;
  TextWindow& operator=(const TextWindow&) = delete;

  /// Whole lines, or any bytes of a program's output. False when the window is closed, or takes no more.
  bool write(std::string_view bytes);
  /// The last line, after what may be left of an unfinished one.
  void finish(const std::string& line);
  void add_button(const std::string& label, std::function<void()> pressed);
  void add_action(const Action& action);
  /// Called once, when it is closed.
  void when_closed(std::function<void()> closed) { closed_ = std::move(closed); }

 private:
  static void on_close(void* handle) noexcept;
  void append(const std::string& text);

  funnel_text_window_t* window_;
  std::function<void()> closed_;
  CleanLines lines_;
  std::size_t size_ = 0;
};

}  // namespace podshark::plugin
