# To be sourced. `apt_of_testing FOLDER` makes every apt command after it read Debian testing (forky), into FOLDER/apt: an
# apt of its own, so that this machine's sources and lists stay as they are. Makes FOLDER/debs and FOLDER/root besides.
apt_of_testing() {
  local folder=$1 mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" { print $1; exit }')
  mkdir -p "$folder"/apt/{etc/preferences.d,etc/parts,lists/partial,cache/archives/partial} "$folder"/{debs,root}
  : > "$folder/apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror forky main" > "$folder/apt/etc/sources.list"
  # A mirror may be a snapshot, past its date.
  cat > "$folder/apt/conf" <<CONF
Dir::Etc "$folder/apt/etc"; Dir::Etc::sourceparts "$folder/apt/etc/parts"; Dir::Etc::parts "$folder/apt/etc/parts";
Dir::State::lists "$folder/apt/lists"; Dir::State::status "$folder/apt/status"; Dir::Cache "$folder/apt/cache";
APT::Sandbox::User "root"; Acquire::Check-Valid-Until "false"; Acquire::Languages "none";
CONF
  export APT_CONFIG=$folder/apt/conf
  apt-get update -qq
}
