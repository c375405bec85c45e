# To be read by the scripts that download arm64 packages on Debian x64 without adding an architecture to the machine.

# Runs a program of apt with lists and downloads of its own below $partial, which know arm64 beside this machine's packages.
apt_arm64() {
  command=$1
  shift
  mkdir -p "$partial/lists/partial" "$partial/cache/archives/partial"
  "$command" -o APT::Sandbox::User=root -o "Dir::State::lists=$partial/lists" -o "Dir::Cache=$partial/cache" \
    -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o Acquire::Languages=none "$@"
}
