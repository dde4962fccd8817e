// The development page: the fake host first, since the dashboard asks for it as soon as it is loaded.
import './themes.css';
import './fake-host.ts';
import '../../src/webview/dashboard.ts';
