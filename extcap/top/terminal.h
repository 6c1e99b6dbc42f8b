// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "podman/core/result.h"

namespace podshark::extcap::top {

/// Writes to a descriptor that is not ours alone and therefore blocking: a reader that does not read must not
/// keep a signal from ending us. Gives up when `stop_fd` becomes readable.
struct WriteEnd {
  bool reader_gone = false;
  bool stopped = false;
};
[[nodiscard]] Result<WriteEnd> write_unless_stopped(int fd, const std::string& text, int stop_fd);

/// The screen of a terminal that is redrawn in place: alternate screen, no cursor, no line wrapping, keys at
/// once. Destroying it brings everything back.
class Screen {
 public:
  /// `in` may be no terminal: then there are no keys.
  Screen(int in, int out);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  struct Size {
    std::size_t width;
    std::size_t height;
  };
  [[nodiscard]] Size size() const;

  /// The bytes that replace what is shown by `lines`; the first one in reverse video.
  [[nodiscard]] static std::string frame(const std::vector<std::string>& lines);

 private:
  int in_;
  int out_;
  std::optional<termios> before_;
};

}  // namespace podshark::extcap::top
