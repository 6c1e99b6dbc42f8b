// SPDX-License-Identifier: GPL-2.0-or-later
// pcapng made by hand, in either byte order, and a strict reader of what we write, which shares no code with
// ours.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace podshark::test {

/// Blocks of a pcapng file, in this machine's byte order or the other one.
class PcapngBytes {
 public:
  explicit PcapngBytes(bool swapped = false) : swapped_(swapped) {}

  [[nodiscard]] std::string u16(std::uint16_t v) const { return number(swapped_ ? __builtin_bswap16(v) : v); }
  [[nodiscard]] std::string u32(std::uint32_t v) const { return number(swapped_ ? __builtin_bswap32(v) : v); }
  [[nodiscard]] std::string u64(std::uint64_t v) const { return number(swapped_ ? __builtin_bswap64(v) : v); }
  [[nodiscard]] static std::string padded(std::string text) {
    text.resize((text.size() + 3) & ~std::size_t{3}, '\0');
    return text;
  }
  [[nodiscard]] std::string option(std::uint16_t code, const std::string& value) const {
    return u16(code) + u16(static_cast<std::uint16_t>(value.size())) + padded(value);
  }
  [[nodiscard]] std::string block(std::uint32_t type, const std::string& body) const {
    const std::string length = u32(static_cast<std::uint32_t>(body.size() + 12));
    return u32(type) + length + body + length;
  }
  [[nodiscard]] std::string section(const std::string& options = {}) const {
    return block(0x0A0D0D0A, u32(0x1A2B3C4D) + u16(1) + u16(0) + u64(~std::uint64_t{0}) + options);
  }
  [[nodiscard]] std::string interface(std::uint16_t linktype, const std::string& options = {},
                                      std::uint32_t snaplen = 65535) const {
    return block(1, u16(linktype) + u16(0) + u32(snaplen) + options);
  }
  [[nodiscard]] std::string packet(std::uint32_t interface, std::uint64_t ticks, const std::string& data,
                                   const std::string& options = {}, std::uint32_t length = 0) const {
    const auto size = static_cast<std::uint32_t>(data.size());
    return block(6, u32(interface) + u32(static_cast<std::uint32_t>(ticks >> 32U)) +
                        u32(static_cast<std::uint32_t>(ticks)) + u32(size) +
                        u32(length == 0 ? size : length) + padded(data) + options);
  }

 private:
  template <typename T>
  [[nodiscard]] static std::string number(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof(value)};
  }
  bool swapped_;
};

/// A file of ours: little endian, one section. The constructor throws on whatever is not right in it.
struct PcapngFile {
  using Options = std::vector<std::pair<std::uint16_t, std::string>>;
  struct Interface {
    std::uint16_t linktype;
    std::uint32_t snaplen;
    Options options;
  };
  struct Packet {
    std::uint32_t interface;
    std::uint64_t ticks;
    std::string data;
    std::uint32_t length;
    Options options;
  };
  struct Other {
    std::uint32_t type;
    std::string body;
  };

  Options section;
  std::vector<Interface> interfaces;
  std::vector<Packet> packets;
  std::vector<Other> others;
  std::vector<std::uint32_t> order;  ///< types of all blocks

  explicit PcapngFile(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      need(bytes.size() - at >= 12, "a block's frame");
      const std::uint32_t type = get<std::uint32_t>(bytes, at);
      const std::uint32_t size = get<std::uint32_t>(bytes, at + 4);
      need(size >= 12 && size % 4 == 0 && size <= bytes.size() - at, "a block's length");
      need(get<std::uint32_t>(bytes, at + size - 4) == size, "a block's second length");
      need((type == 0x0A0D0D0A) == order.empty(), "one section header, in front");
      order.push_back(type);
      add(type, bytes.substr(at + 8, size - 12));
      at += size;
    }
    need(!order.empty(), "anything");
  }

  [[nodiscard]] static std::string value(const Options& options, std::uint16_t code) {
    for (const auto& [known, text] : options) {
      if (known == code) return text;
    }
    return {};
  }
  [[nodiscard]] std::string name(std::size_t interface) const {
    return value(interfaces.at(interface).options, 2);
  }

 private:
  static void need(bool right, const char* what) {
    if (!right) throw std::runtime_error(std::string("wrong: ") + what);
  }
  template <typename T>
  static T get(const std::string& bytes, std::size_t at) {
    need(at + sizeof(T) <= bytes.size(), "a number within its block");
    T v{};
    std::memcpy(&v, bytes.data() + at, sizeof(v));
    return v;
  }
  static Options options_at(const std::string& body, std::size_t at) {
    Options out;
    if (at == body.size()) return out;
    while (true) {
      const auto code = get<std::uint16_t>(body, at);
      const std::size_t size = get<std::uint16_t>(body, at + 2);
      at += 4;
      if (code == 0) break;
      const std::size_t padded = (size + 3) & ~std::size_t{3};
      need(at + padded <= body.size(), "an option within its block");
      out.emplace_back(code, body.substr(at, size));
      at += padded;
    }
    need(at == body.size(), "nothing behind the options");
    return out;
  }
  void add(std::uint32_t type, const std::string& body) {
    if (type == 0x0A0D0D0A) {
      section = options_at(body, 16);
    } else if (type == 1) {
      interfaces.push_back({get<std::uint16_t>(body, 0), get<std::uint32_t>(body, 4), options_at(body, 8)});
    } else if (type == 6) {
      Packet p{};
      p.interface = get<std::uint32_t>(body, 0);
      need(p.interface < interfaces.size(), "a packet's interface");
      p.ticks = (std::uint64_t{get<std::uint32_t>(body, 4)} << 32U) | get<std::uint32_t>(body, 8);
      const std::size_t size = get<std::uint32_t>(body, 12);
      const std::size_t padded = (size + 3) & ~std::size_t{3};
      need(20 + padded <= body.size(), "a packet within its block");
      p.data = body.substr(20, size);
      p.length = get<std::uint32_t>(body, 16);
      p.options = options_at(body, 20 + padded);
      packets.push_back(std::move(p));
    } else {
      if (type == 5) need(get<std::uint32_t>(body, 0) < interfaces.size(), "statistics' interface");
      others.push_back({type, body});
    }
  }
};

}  // namespace podshark::test
