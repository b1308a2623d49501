# Homebrew's formula. Replace BASE by where the archives are published.
class Trustpool < Formula
  desc "Know, host, carry and make the trust bundles of Cisco devices"
  homepage "https://trustpool.invalid"
  version "@VERSION@"
  license "Apache-2.0"

  BASE = "https://trustpool.invalid/releases".freeze

  on_macos do
    on_arm do
      url "#{BASE}/trustpool_#{version}_darwin_arm64.tar.gz"
      sha256 "@DARWIN_ARM64@"
    end
    on_intel do
      url "#{BASE}/trustpool_#{version}_darwin_amd64.tar.gz"
      sha256 "@DARWIN_AMD64@"
    end
  end
  on_linux do
    on_arm do
      url "#{BASE}/trustpool_#{version}_linux_arm64.tar.gz"
      sha256 "@LINUX_ARM64@"
    end
    on_intel do
      url "#{BASE}/trustpool_#{version}_linux_amd64.tar.gz"
      sha256 "@LINUX_AMD64@"
    end
  end

  def install
    bin.install "trustpool"
    man1.install Dir["man/*.1"]
    man5.install Dir["man/*.5"]
    man7.install Dir["man/*.7"]
    bash_completion.install "completions/trustpool.bash" => "trustpool"
    zsh_completion.install "completions/_trustpool"
    fish_completion.install "completions/trustpool.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/trustpool --version")
  end
end
