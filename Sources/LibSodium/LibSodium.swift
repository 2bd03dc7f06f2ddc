// LibSodium
