// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "podman/api/transport.h"

namespace podshark::api {

/// podman's REST service on a unix socket: several times faster than the command. One HTTP/1.0 request per
/// connection, so that the answer ends with the stream. The service may still be starting (socket
/// activation).
class RestSocket : public Transport {
 public:
  explicit RestSocket(std::string path) : path_(std::move(path)) {}

  /// Whether somebody listens: a socket file, or podman's own word, proves nothing. Never blocks.
  [[nodiscard]] bool answers() const;

  [[nodiscard]] const char* source() const override { return "socket"; }
  [[nodiscard]] Result<std::string> ps(Deadline deadline) override;
  [[nodiscard]] Result<std::string> inspect(const std::vector<std::string>& ids, Deadline deadline) override;
  [[nodiscard]] Result<std::string> networks(const std::vector<std::string>& names,
                                             Deadline deadline) override;
  [[nodiscard]] Result<std::string> pods(Deadline deadline) override;

  /// Body of `GET target` with status 200; not_found for 404. Any other status is an error with podman's
  /// words.
  [[nodiscard]] Result<std::string> get(const std::string& target, std::size_t max_bytes,
                                        Deadline deadline) const;

 private:
  [[nodiscard]] Result<std::string> get_each(const std::string& before, const std::vector<std::string>& names,
                                             std::size_t max_bytes, Deadline deadline) const;
  std::string path_;
};

/// Status code and body of a whole HTTP response. Pure.
struct HttpResponse {
  unsigned status = 0;
  std::string body;
};
[[nodiscard]] Result<HttpResponse> parse_http(std::string_view text);

}  // namespace podshark::api
