readonly V6D_VERSION="0.24.1"
readonly V6D_BRANCH="v0.24.1"
# 0.15.0 -> 0.15.0a20220808
