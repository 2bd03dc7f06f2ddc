// ThriftBinary
